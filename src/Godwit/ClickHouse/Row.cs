namespace Godwit.ClickHouse;

#pragma warning disable CA1720 // The getters are named after the types that they return, as everywhere in .NET's data readers.

/// <summary>One row of a result. Values are text until they are asked for as something else.</summary>
/// <remarks>
/// Asking for a column that is not there is a <see cref="KeyNotFoundException"/>; for a value of a NULL, or as a type that its text does
/// not spell, an <see cref="InvalidOperationException"/>. Both name the column.
/// </remarks>
public sealed class Row
{
    private readonly RowShape _shape;
    private readonly string?[] _fields;

    internal Row(RowShape shape, string?[] fields) => (_shape, _fields) = (shape, fields);

    /// <summary>The columns' names, in order.</summary>
    public IReadOnlyList<string> Columns => _shape.Columns;

    /// <summary>The value as text.</summary>
    public string this[string name] => _fields[_shape.IndexOf(name)] ?? throw new InvalidOperationException($"Column {name} is NULL.");

    /// <summary>The column's type in the server's words, e.g. <c>Nullable(DateTime('UTC'))</c>.</summary>
    public string TypeOf(string name) => _shape.Types[_shape.IndexOf(name)];

    /// <summary>Whether the value is NULL.</summary>
    public bool IsNull(string name) => _fields[_shape.IndexOf(name)] is null;

    /// <summary>The value as text, or null.</summary>
    public string? Text(string name) => _fields[_shape.IndexOf(name)];

    /// <summary>The value as a signed integer.</summary>
    public long Int64(string name) => Convert<long>(name);

    /// <summary>The value as an unsigned integer.</summary>
    public ulong UInt64(string name) => Convert<ulong>(name);

    /// <summary>The value as a floating-point number; inf and nan are read too.</summary>
    public double Double(string name) => Convert<double>(name);

    /// <summary>The value as a yes or no: 1 and 0, or true and false.</summary>
    public bool Bool(string name) => Convert<bool>(name);

    /// <summary>The value as a UUID.</summary>
    public Guid Guid(string name) => Convert<Guid>(name);

    /// <summary>
    /// The value as a moment in UTC. A number counts seconds since 1970. A DateTime is read in the zone of its type, else in the server's
    /// zone; old servers do not tell theirs, and then the statement must: <c>toUnixTimestamp(x)</c>. In the hour that a zone's clocks are
    /// turned back, only a number or UTC is exact.
    /// </summary>
    public DateTimeOffset Utc(string name) => Convert<DateTimeOffset>(name);

    internal T Convert<T>(string name)
    {
        var text = this[name];
        return FieldValue.TryRead(text, typeof(T), TypeOf(name), _shape.TimeZone, out var value)
            ? (T)value
            : throw new InvalidOperationException(
                $"Column {name} of type {TypeOf(name)} holds '{text}', which cannot be read as {typeof(T).Name}"
                + (typeof(T) == typeof(DateTimeOffset) ? ": give the column a time zone, or select toUnixTimestamp() of it." : "."));
    }
}

/// <summary>What all rows of a result share.</summary>
internal sealed class RowShape
{
    private const int Ambiguous = -1;
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);

    private RowShape(string[] columns, string[] types, string? timeZone)
    {
        (Columns, Types, TimeZone) = (columns, types, timeZone);
        for (var i = 0; i < columns.Length; i++)
        {
            _index[columns[i]] = _index.ContainsKey(columns[i]) ? Ambiguous : i;
        }
    }

    public IReadOnlyList<string> Columns { get; }

    public IReadOnlyList<string> Types { get; }

    /// <summary>The server's zone; null when it did not tell.</summary>
    public string? TimeZone { get; }

    /// <summary>Null when there is not one type for each name.</summary>
    public static RowShape? Create(string?[] columns, string?[] types, string? timeZone)
        => columns.Length == types.Length
            ? new RowShape([.. columns.Select(c => c ?? @"\N")], [.. types.Select(t => t ?? "")], timeZone)
            : null;

    public int IndexOf(string name) => _index.TryGetValue(name, out var index) && index != Ambiguous
        ? index
        : throw new KeyNotFoundException(_index.ContainsKey(name)
            ? $"The result has more than one column {name}: give them other names with AS."
            : $"The result has no column {name}; it has {string.Join(", ", Columns)}.");
}
