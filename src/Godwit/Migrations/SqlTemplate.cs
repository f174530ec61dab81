using System.Globalization;
using System.Text.RegularExpressions;
using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Migrations;

/// <summary>What a text is, and so how values are written in it.</summary>
internal enum TemplateKind
{
    /// <summary>SQL of ClickHouse.</summary>
    ClickHouse,

    /// <summary>SQL of PostgreSQL.</summary>
    PostgreSql,

    /// <summary>Words for people: values stand as they are.</summary>
    Words,
}

/// <summary>
/// SQL with <c>${name}</c> in it. Each is replaced by a value that is quoted for where it stands: a literal, or with <c>${name:identifier}</c>
/// a name. <c>$${</c> stands for <c>${</c> itself.
/// </summary>
internal static partial class SqlTemplate
{
    /// <summary>The names that a text asks for.</summary>
    public static IEnumerable<string> Names(string text) => Places().Matches(text).Where(m => m.Groups["name"].Success).Select(m => m.Groups["name"].Value).Distinct(StringComparer.Ordinal);

    /// <summary>What is wrong with a text, one sentence each.</summary>
    /// <param name="text">The SQL.</param>
    /// <param name="known">The names that there are; null when they show only later.</param>
    /// <param name="kind">What it is.</param>
    public static IEnumerable<string> Problems(string text, IReadOnlyCollection<string>? known, TemplateKind kind = TemplateKind.ClickHouse)
    {
        foreach (var name in Names(text).Where(name => known?.Contains(name, StringComparer.Ordinal) == false))
        {
            yield return $"${{{name}}} is no parameter" + (known!.Count == 0 ? ": there are none." : $": there are {string.Join(", ", known)}.");
        }

        foreach (var odd in Odd().Matches(text).Select(m => m.Value).Distinct(StringComparer.Ordinal))
        {
            yield return $"{odd} is no place for a value: those are ${{name}} and ${{name:identifier}}; write $${{ for ${{ itself.";
        }

        if (kind == TemplateKind.Words)
        {
            yield break;
        }

        var tokens = SqlText.Tokens(text);
        foreach (var place in Places().Matches(text).Where(m => m.Groups["name"].Success))
        {
            // What is in no token is in a comment, which a value could end.
            var token = tokens.Find(t => t.Start <= place.Index && place.Index < t.End);
            if (token.End == 0)
            {
                yield return $"{place.Value} stands in a comment: leave it out, a value could end the comment.";
            }
            else if (token.Kind is SqlText.TokenKind.String or SqlText.TokenKind.Quoted)
            {
                yield return $"{place.Value} stands in quotes: leave them out, the value is quoted where it is filled in. Put texts together with concat('%', {place.Value}, '%').";
            }
        }
    }

    /// <summary>The text with its values.</summary>
    /// <exception cref="FormatException">There is no value of a name, or the server has no way to write it.</exception>
    public static string Fill(string text, Func<string, object?> find, TemplateKind kind = TemplateKind.ClickHouse) => Places().Replace(text, place =>
    {
        if (!place.Groups["name"].Success)
        {
            return "${";
        }

        var name = place.Groups["name"].Value;
        var value = find(name) ?? throw new FormatException($"There is no value for ${{{name}}}.");
        return kind == TemplateKind.Words ? Text(value)
            : place.Groups["identifier"].Success ? (kind == TemplateKind.PostgreSql ? PostgreSqlText.Identifier(Text(value)) : Sql.Identifier(Text(value)))
            : Quote(value, kind == TemplateKind.PostgreSql);
    });

    /// <summary>A message with its values, unquoted.</summary>
    public static string FillMessage(string text, Func<string, object?> find) => Places().Replace(text, place =>
        place.Groups["name"].Success ? find(place.Groups["name"].Value) is { } value ? Text(value) : place.Value : "${");

    /// <summary>What a column of a row is filled in as; null when there is no such column, or NULL in it.</summary>
    public static object? Find(Row row, string name) =>
        !row.Columns.Contains(name, StringComparer.Ordinal) || row.Text(name) is not { } text ? null
        : NumberType().IsMatch(row.TypeOf(name)) && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? new Digits(text) : text;

    private static string Quote(object value, bool isPostgreSql) => value switch
    {
        Digits or long or decimal => Text(value),
        bool yes => isPostgreSql ? (yes ? "true" : "false") : yes ? "1" : "0",

        // A moment, whatever time zone the column, the server or the session has.
        DateTimeOffset moment => isPostgreSql ? $"TIMESTAMPTZ '{moment.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}+00'" : $"toDateTime64('{moment.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}', 3, 'UTC')",
        _ => isPostgreSql ? PostgreSqlText.Literal(Text(value)) : Sql.Literal(Text(value)),
    };

    private static string Text(object value) => value switch
    {
        Digits digits => digits.Text,
        DateTimeOffset moment => moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    [GeneratedRegex(@"\$\$\{|\$\{(?<name>[A-Za-z_][A-Za-z0-9_]*)(?<identifier>:identifier)?\}")]
    private static partial Regex Places();

    [GeneratedRegex(@"(?<!\$)\$\{(?![A-Za-z_][A-Za-z0-9_]*(:identifier)?\})[^}]{0,40}\}?")]
    private static partial Regex Odd();

    [GeneratedRegex(@"^(Nullable\(|LowCardinality\()*(U?Int|Float|Decimal)")]
    private static partial Regex NumberType();

    /// <summary>A number as the server wrote it, with all its digits.</summary>
    private sealed record Digits(string Text);
}
