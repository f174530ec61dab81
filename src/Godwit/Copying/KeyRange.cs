using Godwit.ClickHouse;

namespace Godwit.Copying;

/// <summary>A stretch of keys: larger than one, up to and with another.</summary>
/// <param name="After">As the server prints it; null for all keys from the smallest on.</param>
/// <param name="UpTo">As the server prints it.</param>
internal sealed record KeyRange(string? After, string UpTo)
{
    /// <summary>The condition that selects it.</summary>
    /// <param name="key">The key as SQL.</param>
    /// <param name="isNumber">Whether keys are numbers; other keys are quoted.</param>
    public string Condition(string key, bool isNumber)
    {
        string Value(string text) => isNumber ? text : Sql.Literal(text);
        return After is null ? $"({key} <= {Value(UpTo)})" : $"({key} > {Value(After)} AND {key} <= {Value(UpTo)})";
    }
}
