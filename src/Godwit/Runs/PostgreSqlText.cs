using System.Text;

namespace Godwit.Runs;

/// <summary>Quotes identifiers and literals for PostgreSQL: the one place that does.</summary>
internal static class PostgreSqlText
{
    /// <summary>A name in double quotes.</summary>
    public static string Identifier(string name) => $"\"{Checked(name).Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>
    /// A string literal. One with backslashes or line breaks is written with escapes, which are read alike whatever standard_conforming_strings is,
    /// see https://www.postgresql.org/docs/current/sql-syntax-lexical.html.
    /// </summary>
    public static string Literal(string value)
    {
        var quoted = new StringBuilder(value.Length + 8);
        foreach (var c in Checked(value))
        {
            _ = c switch
            {
                '\\' => quoted.Append(@"\\"),
                '\n' => quoted.Append(@"\n"),
                '\r' => quoted.Append(@"\r"),
                '\'' => quoted.Append("''"),
                _ => quoted.Append(c),
            };
        }

        return $"{(quoted.ToString().Contains('\\', StringComparison.Ordinal) ? "E" : "")}'{quoted}'";
    }

    private static string Checked(string text) => text.Contains('\0', StringComparison.Ordinal)
        ? throw new FormatException("PostgreSQL has no texts with a character of code 0 in them.")
        : text;
}
