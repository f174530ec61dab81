using Godwit.ClickHouse;

namespace Godwit.Copying;

/// <summary>What the key of a copy is.</summary>
internal enum KeyKind
{
    /// <summary>An integer.</summary>
    Number,

    /// <summary>A day.</summary>
    Date,

    /// <summary>A moment, in seconds since 1970: as a text it would be two moments in the hour that a time zone has twice.</summary>
    Moment,
}

/// <summary>A stretch of keys: larger than one, up to and with another.</summary>
/// <param name="After">A number, or a day as the server prints it; null for all keys from the smallest on.</param>
/// <param name="UpTo">Likewise.</param>
internal sealed record KeyRange(string? After, string UpTo)
{
    /// <summary>The condition that selects it.</summary>
    /// <param name="key">The key as SQL.</param>
    /// <param name="kind">What the key is.</param>
    public string Condition(string key, KeyKind kind)
    {
        string Value(string text) => kind switch { KeyKind.Number => text, KeyKind.Date => Sql.Literal(text), _ => $"toDateTime({text})" };
        return After is null ? $"({key} <= {Value(UpTo)})" : $"({key} > {Value(After)} AND {key} <= {Value(UpTo)})";
    }
}

/// <summary>What is compared of a stretch on both sides.</summary>
/// <param name="Rows">How many rows it has.</param>
/// <param name="Sum">The sum of the lower 32 bits of their keys.</param>
internal readonly record struct Tally(long Rows, string Sum);
