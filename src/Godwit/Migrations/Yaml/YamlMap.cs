using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Godwit.Operations;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Godwit.Migrations.Yaml;

/// <summary>
/// A mapping of a YAML file that is read key by key. What is wrong is collected with its line, and reading goes on, so that a person sees all of
/// it at once; a key that nobody has asked for is wrong too.
/// </summary>
internal sealed partial class YamlMap(YamlMappingNode node, YamlFile file)
{
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    /// <summary>The file.</summary>
    public YamlFile File => file;

    /// <summary>The line on which it begins, from 1.</summary>
    public long Line => node.Start.Line;

    /// <summary>The keys, in the order of the file.</summary>
    public IEnumerable<string> Keys => node.Children.Keys.OfType<YamlScalarNode>().Select(k => k.Value ?? "");

    /// <summary>The line of a key; that of the mapping when the key is not there.</summary>
    public long LineOf(string key) => node.Children.Keys.OfType<YamlScalarNode>().FirstOrDefault(k => k.Value == key)?.Start.Line ?? Line;

    /// <summary>Whether a key is there.</summary>
    public bool Has(string key) => Keys.Contains(key, StringComparer.Ordinal);

    /// <summary>A whole number; null when the key is not there.</summary>
    public long? Number(string key) => Text(key) is not { } text
        ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : Wrong<long?>(Node(key)!, $"{key}: '{text}' is not a whole number.");

    /// <summary>A text; null when the key is not there.</summary>
    public string? Text(string key) => Node(key) switch
    {
        null => null,
        YamlScalarNode { Value: { } value } => value,
        var other => Wrong<string>(other, $"{key} is not a text."),
    };

    /// <summary>A text that must be there; empty when it is not, which is told.</summary>
    public string RequiredText(string key)
    {
        if (Node(key) is null)
        {
            file.Problem(Line, $"{key} is missing.");
        }

        return Text(key) ?? "";
    }

    /// <summary>A list of texts; a single text is a list of one.</summary>
    public IReadOnlyList<string> Texts(string key) => Node(key) switch
    {
        null => [],
        YamlScalarNode { Value: { } value } => [value],
        YamlSequenceNode list => list.Children.Select(i => i is YamlScalarNode { Value: { } value } ? value : Wrong<string>(i, $"{key} holds something that is not a text.")).OfType<string>().ToList(),
        var other => Wrong<IReadOnlyList<string>>(other, $"{key} is not a text or a list of texts.") ?? [],
    };

    /// <summary>Texts by name.</summary>
    public IReadOnlyDictionary<string, string> TextMap(string key) =>
        Map(key) is { } map ? map.Keys.ToDictionary(k => k, k => map.Text(k) ?? "", StringComparer.Ordinal) : new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>true or false; null when the key is not there.</summary>
    public bool? Flag(string key) => Node(key) switch
    {
        null => null,
        YamlScalarNode { Value: "true" } => true,
        YamlScalarNode { Value: "false" } => false,
        var other => Wrong<bool?>(other, $"{key} is neither true nor false."),
    };

    /// <summary>A time such as 30s, 5m, 2h or 1d; null when the key is not there.</summary>
    public TimeSpan? Time(string key)
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        var match = TimeForm().Match(text);
        var seconds = match.Groups[2].Value switch { "s" => 1, "m" => 60, "h" => 3600, _ => 86400 };
        return match.Success && double.TryParse(match.Groups[1].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number * seconds <= SqlStatements.LongestTimeout.TotalSeconds ? TimeSpan.FromSeconds(number * seconds) : Wrong<TimeSpan?>(Node(key)!, $"{key}: '{text}' is longer than {SqlStatements.LongestTimeout.Days} days.")
            : Wrong<TimeSpan?>(Node(key)!, $"{key}: '{text}' is not a time such as 30s, 5m, 2h or 1d.");
    }

    /// <summary>One of some words, as an enum; null when the key is not there or is another word, which is told.</summary>
    public T? Word<T>(string key)
        where T : struct, Enum
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        var words = Enum.GetNames<T>();
        return Array.Find(words, w => string.Equals(w, text, StringComparison.OrdinalIgnoreCase)) is { } word
            ? Enum.Parse<T>(word)
            : Wrong<T?>(Node(key)!, $"{key}: '{text}' is not one of {string.Join(", ", words.Select(JsonNamingPolicy.CamelCase.ConvertName))}.");
    }

    /// <summary>A mapping; null when the key is not there.</summary>
    public YamlMap? Map(string key) => Node(key) switch
    {
        null => null,
        YamlMappingNode map => new YamlMap(map, file),
        var other => Wrong<YamlMap>(other, $"{key} is not a mapping (name: value)."),
    };

    /// <summary>A list of mappings.</summary>
    public IReadOnlyList<YamlMap> Maps(string key) => Node(key) switch
    {
        null => [],
        YamlSequenceNode list => list.Children.Select(i => i is YamlMappingNode map ? new YamlMap(map, file) : Wrong<YamlMap>(i, $"{key} holds something that is not a mapping (name: value).")).OfType<YamlMap>().ToList(),
        var other => Wrong<IReadOnlyList<YamlMap>>(other, $"{key} is not a list.") ?? [],
    };

    /// <summary>Tells the keys that nobody has asked for.</summary>
    public void End()
    {
        foreach (var key in node.Children.Keys.OfType<YamlScalarNode>().Where(k => !_asked.Contains(k.Value ?? "")))
        {
            file.Problem(key.Start.Line, $"There is no '{key.Value}' here: use {string.Join(", ", _asked.Order(StringComparer.Ordinal))}.");
        }
    }

    private YamlNode? Node(string key)
    {
        _asked.Add(key);
        return node.Children.FirstOrDefault(c => c.Key is YamlScalarNode { Value: { } name } && name == key).Value is { } value && !IsNull(value) ? value : null;
    }

    private static bool IsNull(YamlNode value) => value is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" };

    private T? Wrong<T>(YamlNode where, string message)
    {
        file.Problem(where.Start.Line, message);
        return default;
    }

    [GeneratedRegex(@"^([0-9]+(?:\.[0-9]+)?)([smhd])$")]
    private static partial Regex TimeForm();
}

/// <summary>A YAML file that is being read, and what is wrong with it so far.</summary>
/// <param name="Name">Its name in messages.</param>
internal sealed record YamlFile(string Name)
{
    private readonly List<DefinitionProblem> _problems = [];

    /// <summary>What is wrong, in the order of the lines.</summary>
    public IReadOnlyList<DefinitionProblem> Problems => _problems;

    /// <summary>Tells that something is wrong.</summary>
    public void Problem(long line, string message) => _problems.Add(new DefinitionProblem(Where(line), message));

    /// <summary>A place in it.</summary>
    public string Where(long line) => string.Create(CultureInfo.InvariantCulture, $"{Name}:{line}");
}
