namespace Godwit.Migrations;

/// <summary>The values that a run has been given for the parameters of its migration, defaults filled in. Frozen with the plan.</summary>
public sealed class ParameterValues
{
    private readonly Dictionary<string, object> _values;

    private ParameterValues(Dictionary<string, object> values, IReadOnlyDictionary<string, string> texts) => (_values, Texts) = (values, texts);

    /// <summary>No parameters.</summary>
    public static ParameterValues None { get; } = new([], new Dictionary<string, string>(StringComparer.Ordinal));

    /// <summary>The values as a person wrote them, by name.</summary>
    public IReadOnlyDictionary<string, string> Texts { get; }

    /// <summary>Reads what a person has set.</summary>
    /// <param name="parameters">The migration's parameters.</param>
    /// <param name="given">Texts by name.</param>
    /// <returns>The values, or null and all that is wrong, one sentence each.</returns>
    public static (ParameterValues? Values, IReadOnlyList<string> Problems) Read(IReadOnlyList<Parameter> parameters, IReadOnlyDictionary<string, string> given)
    {
        var known = parameters.Count == 0 ? "there are none" : $"there are {string.Join(", ", parameters.Select(p => p.Name))}";
        var problems = given.Keys.Where(name => parameters.All(p => p.Name != name)).Select(name => $"There is no parameter {name}; {known}.").ToList();
        Dictionary<string, object> values = new(StringComparer.Ordinal);
        Dictionary<string, string> texts = new(StringComparer.Ordinal);
        foreach (var parameter in parameters)
        {
            if ((given.GetValueOrDefault(parameter.Name) ?? parameter.Default) is not { } text)
            {
                problems.Add($"The parameter {parameter.Name} must be set: {parameter.Help}".TrimEnd(' ', ':'));
                continue;
            }

            var (value, problem) = parameter.Read(text);
            if (problem is not null)
            {
                problems.Add(problem);
                continue;
            }

            (values[parameter.Name], texts[parameter.Name]) = (value!, text);
        }

        return problems.Count == 0 ? (new ParameterValues(values, texts), problems) : (null, problems);
    }

    /// <summary>The value of a parameter.</summary>
    /// <typeparam name="T">What its type holds: long, decimal, string, bool or DateTimeOffset.</typeparam>
    /// <exception cref="ArgumentException">The migration has no such parameter, or of another type.</exception>
    public T Get<T>(string name) => _values.TryGetValue(name, out var value)
        ? value is T typed ? typed : throw new ArgumentException($"The parameter {name} is of type {value.GetType().Name}, not {typeof(T).Name}.", nameof(name))
        : throw new ArgumentException($"The migration has no parameter {name}.", nameof(name));

    /// <summary>The value of a parameter, whatever its type; null when there is none of that name.</summary>
    internal object? Find(string name) => _values.GetValueOrDefault(name);
}
