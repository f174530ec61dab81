using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Godwit.Migrations;

/// <summary>What a parameter's value is.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "The words that definitions use.")]
public enum ParameterType
{
    /// <summary>A whole number of 64 bits.</summary>
    Integer,

    /// <summary>A decimal number.</summary>
    Number,

    /// <summary>A text.</summary>
    Text,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Boolean,

    /// <summary>The name of a database, table or column.</summary>
    Identifier,

    /// <summary>A moment, ISO 8601; without an offset it is UTC.</summary>
    Timestamp,
}

/// <summary>Something that a person may set when a migration is started; checked before anything runs.</summary>
/// <param name="Name">Its name: a letter, then letters, digits and <c>_</c>.</param>
/// <param name="Type">What its value is.</param>
public sealed partial record Parameter(string Name, ParameterType Type)
{
    /// <summary>What it is for and what a good value is.</summary>
    public string Help { get; init; } = "";

    /// <summary>The value when none is given, as a person writes it; null when one must be given.</summary>
    public string? Default { get; init; }

    /// <summary>The smallest value, as a person writes it; for a text the smallest length.</summary>
    public string? Min { get; init; }

    /// <summary>The greatest value, as a person writes it; for a text the greatest length.</summary>
    public string? Max { get; init; }

    /// <summary>The values that are allowed; empty for all.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Reads a value as a person writes it.</summary>
    /// <returns>The value: long, decimal, string, bool or DateTimeOffset, and null; or null and what is wrong with it.</returns>
    public (object? Value, string? Problem) Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Parse(Type, text) is not { } value)
        {
            return (null, $"{Name}: '{text}' is not {Kind(Type)}.");
        }

        if (Choices.Count > 0 && !Choices.Contains(text, StringComparer.Ordinal))
        {
            return (null, $"{Name}: '{text}' is not one of {string.Join(", ", Choices)}.");
        }

        return OutOfBounds(value) is { } problem ? (null, problem) : (value, null);
    }

    /// <summary>What is wrong with the definition, one sentence each.</summary>
    public IEnumerable<string> Problems()
    {
        if (!NameForm().IsMatch(Name))
        {
            yield return $"The parameter name '{Name}' is not a letter followed by letters, digits and _.";
        }

        foreach (var (what, bound) in new[] { ("min", Min), ("max", Max) })
        {
            if (bound is not null && (BoundType is null || Parse(BoundType.Value, bound) is null))
            {
                yield return BoundType is { } type
                    ? $"{Name}: the {what} '{bound}' is not {Kind(type)}."
                    : $"{Name}: {Kind(Type)} has no {what}.";
                yield break;
            }
        }

        if (Min is not null && Max is not null && Parse(BoundType!.Value, Min) is IComparable least && least.CompareTo(Parse(BoundType.Value, Max)) > 0)
        {
            yield return $"{Name}: the min '{Min}' is larger than the max '{Max}'.";
            yield break;
        }

        foreach (var text in Choices.Concat(Default is null ? [] : [Default]))
        {
            if (Read(text).Problem is { } problem)
            {
                yield return $"The definition of {problem}";
            }
        }
    }

    private ParameterType? BoundType => Type switch
    {
        ParameterType.Text => ParameterType.Integer,
        ParameterType.Integer or ParameterType.Number or ParameterType.Timestamp => Type,
        _ => null,
    };

    private static object? Parse(ParameterType type, string text) => type switch
    {
        ParameterType.Integer => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null,
        ParameterType.Number => decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) ? value : null,
        ParameterType.Boolean => text switch { "true" => true, "false" => false, _ => null },
        ParameterType.Identifier => text.Length > 0 && !text.Contains('\0', StringComparison.Ordinal) ? text : null,
        ParameterType.Timestamp => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var value) ? value : null,
        _ => text,
    };

    private static string Kind(ParameterType type) => type switch
    {
        ParameterType.Integer => "a whole number",
        ParameterType.Number => "a number",
        ParameterType.Boolean => "true or false",
        ParameterType.Identifier => "a name",
        ParameterType.Timestamp => "a moment such as 2026-01-31T12:00:00Z",
        _ => "a text",
    };

    private string? OutOfBounds(object value)
    {
        if (BoundType is not { } type)
        {
            return null;
        }

        var measured = (IComparable)(value is string text ? (long)text.Length : value);
        var what = value is string ? "length" : "value";
        return (Min is null ? null : Parse(type, Min), Max is null ? null : Parse(type, Max)) switch
        {
            ({ } min, _) when measured.CompareTo(min) < 0 => $"{Name}: the {what} {measured} is below {Min}.",
            (_, { } max) when measured.CompareTo(max) > 0 => $"{Name}: the {what} {measured} is above {Max}.",
            _ => null,
        };
    }

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_]*\z")]
    private static partial Regex NameForm();
}
