using System.Globalization;
using System.Text;

namespace Godwit.ClickHouse;

/// <summary>Quotes identifiers and literals for SQL: the one place that does. Both quotings are read alike by old and new servers.</summary>
public static class Sql
{
    /// <summary>A name in backticks: <c>we`ird</c> becomes <c>`we\`ird`</c>.</summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static string Identifier(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Quote(name, '`');
    }

    /// <summary>A table's full name, both parts quoted.</summary>
    /// <exception cref="ArgumentException">A part is empty.</exception>
    public static string Table(string database, string table) => $"{Identifier(database)}.{Identifier(table)}";

    /// <summary>A string literal: <c>it's</c> becomes <c>'it\'s'</c>.</summary>
    public static string Literal(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return Quote(value, '\'');
    }

    /// <summary>An integer literal.</summary>
    public static string Literal(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>An unsigned integer literal.</summary>
    public static string Literal(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Quote(string text, char quote)
    {
        var quoted = new StringBuilder(text.Length + 8).Append(quote);
        foreach (var c in text)
        {
            // Line breaks and NUL are escaped too: a statement stays one line in logs, and no lexer stops early.
            _ = c switch
            {
                '\\' => quoted.Append(@"\\"),
                '\n' => quoted.Append(@"\n"),
                '\r' => quoted.Append(@"\r"),
                '\t' => quoted.Append(@"\t"),
                '\0' => quoted.Append(@"\0"),
                _ when c == quote => quoted.Append('\\').Append(c),
                _ => quoted.Append(c),
            };
        }

        return quoted.Append(quote).ToString();
    }
}
