using System.CommandLine;
using System.Globalization;

namespace Godwit.Cli.Arguments;

/// <summary>How options are made, so that all of them complain in the same way.</summary>
internal static class Opt
{
    /// <summary>A text that must not be empty.</summary>
    public static Option<string> Text(string name, string helpName, string description) => Parsed(name, helpName, description, NotEmpty);

    /// <summary>A text that may be given often.</summary>
    public static Option<string[]> Many(string name, string helpName, string description) => new(name)
    {
        HelpName = helpName,
        Description = description,
        Arity = ArgumentArity.OneOrMore,
        CustomParser = result => [.. result.Tokens.Select(t => Read(result.AddError, name, t.Value, NotEmpty) ?? "")],
    };

    /// <summary>A switch.</summary>
    public static Option<bool> Flag(string name, string description) => new(name) { Description = description, Arity = ArgumentArity.Zero };

    /// <summary>A value that <paramref name="read"/> understands; its <see cref="FormatException"/> is what the user sees.</summary>
    public static Option<T> Parsed<T>(string name, string helpName, string description, Func<string, T> read) => new(name)
    {
        HelpName = helpName,
        Description = description,
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = result => Read(result.AddError, name, result.Tokens[0].Value, read),
    };

    /// <summary>One of a few words.</summary>
    public static Func<string, string> OneOf(params string[] words) => text =>
        words.Contains(text, StringComparer.Ordinal)
            ? text
            : throw new FormatException($"'{text}' is none of {string.Join(", ", words)}.");

    /// <summary>A whole number.</summary>
    public static long? Number(string text) =>
        long.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"'{text}' is not a whole number.");

    /// <summary>A whole number that fits in 32 bits.</summary>
    public static int? SmallNumber(string text) => Number(text) is var number && number is >= int.MinValue and <= int.MaxValue
        ? (int)number
        : throw new FormatException($"'{text}' is too large a number.");

    private static string NotEmpty(string text) =>
        string.IsNullOrWhiteSpace(text) ? throw new FormatException("it must not be empty.") : text;

    private static T? Read<T>(Action<string> complain, string name, string text, Func<string, T> read)
    {
        try
        {
            return read(text);
        }
        catch (FormatException e)
        {
            complain($"{name}: {e.Message}");
            return default;
        }
    }
}
