using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Godwit.ClickHouse;

/// <summary>A table by database and name.</summary>
/// <param name="Database">The database, unquoted.</param>
/// <param name="Table">The table, unquoted.</param>
public sealed record QualifiedName(string Database, string Table)
{
    /// <summary>
    /// Reads <c>db.table</c>. Parts with other characters than letters, digits, <c>_</c>, <c>-</c> and <c>$</c> stand in backticks or
    /// double quotes: <c>"my.db"."a.b"</c>. In quotes a backslash, or doubling the quote, takes the next character as it is.
    /// </summary>
    /// <exception cref="FormatException">With a sentence that shows how to quote.</exception>
    public static QualifiedName Parse(string text) => TryParse(text, out var name, out var error) ? name : throw new FormatException(error);

    /// <summary>Like <see cref="Parse"/>, with the sentence in <paramref name="error"/> instead of an exception.</summary>
    public static bool TryParse(
        string? text,
        [NotNullWhen(true)] out QualifiedName? name,
        [NotNullWhen(false)] out string? error)
    {
        name = null;
        var rest = (text ?? "").Trim();
        var parts = new List<string>();
        do
        {
            if (ReadPart(ref rest) is not { Length: > 0 } part)
            {
                error = Complaint(text, "is not a table's name");
                return false;
            }

            parts.Add(part);
        }
        while (Skip(ref rest, '.'));

        error = (rest.Length, parts.Count) switch
        {
            ( > 0, _) => Complaint(text, "is not a table's name"),
            (_, 1) => Complaint(text, "names no database"),
            (_, > 2) => Complaint(text, $"has {parts.Count} parts, and could be read in more than one way"),
            _ => null,
        };
        name = error is null ? new QualifiedName(parts[0], parts[1]) : null;
        return error is null;
    }

    /// <summary>Both parts quoted for SQL.</summary>
    public string ToSql() => Sql.Table(Database, Table);

    /// <summary>For people, and for <see cref="Parse"/>: <c>db.table</c>, quoted only where it must be.</summary>
    public override string ToString() => $"{Readable(Database)}.{Readable(Table)}";

    private static string Readable(string part)
        => part.Length > 0 && part.All(IsBare) ? part : $"\"{part.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"";

    private static bool IsBare(char c) => char.IsLetterOrDigit(c) || c is '_' or '-' or '$';

    private static string? ReadPart(ref string rest)
    {
        if (rest.Length > 0 && rest[0] is '`' or '"')
        {
            return ReadQuoted(ref rest, rest[0]);
        }

        var length = 0;
        while (length < rest.Length && IsBare(rest[length]))
        {
            length++;
        }

        var part = rest[..length];
        rest = rest[length..];
        return part;
    }

    private static string? ReadQuoted(ref string rest, char quote)
    {
        var part = new StringBuilder();
        for (var i = 1; i < rest.Length; i++)
        {
            var next = i + 1 < rest.Length ? rest[i + 1] : '\0';
            if (rest[i] == '\\' || (rest[i] == quote && next == quote))
            {
                part.Append(next);
                i++;
            }
            else if (rest[i] == quote)
            {
                rest = rest[(i + 1)..];
                return part.ToString();
            }
            else
            {
                part.Append(rest[i]);
            }
        }

        return null;
    }

    private static bool Skip(ref string rest, char c)
    {
        if (rest.Length == 0 || rest[0] != c)
        {
            return false;
        }

        rest = rest[1..];
        return true;
    }

    private static string Complaint(string? text, string problem)
        => $"'{text}' {problem}: write database.table, and put a part with a dot or another special character in double quotes "
            + "or backticks, like \"my.db\".\"a.b\" or `my.db`.`a.b`.";
}
