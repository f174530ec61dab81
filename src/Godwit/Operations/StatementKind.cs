using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Operations;

/// <summary>What is known of a statement from its first words.</summary>
internal static class StatementKind
{
    private static readonly string[] AlwaysRepeatable = ["OPTIMIZE", "SYSTEM", "TRUNCATE", "SELECT", "EXISTS", "CHECK", "KILL"];

    private static readonly string[][] Takes = [["DROP", "COLUMN"], ["CLEAR", "COLUMN"], ["DROP", "PARTITION"], ["DROP", "PART"], ["DELETE", "WHERE"], ["DELETE", "IN"]];

    /// <summary>Its beginning on one line, for people: without the secrets in it.</summary>
    public static string Summary(string sql)
    {
        var line = string.Join(' ', SecretMask.Apply(sql).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length > 120 ? $"{line[..119]}…" : line;
    }

    /// <summary>Whether sending it again does nothing that sending it once has not done.</summary>
    public static bool IsRepeatable(string sql)
    {
        var words = Words(sql);
        return words.Count > 0 && (Array.IndexOf(AlwaysRepeatable, words[0]) >= 0
            || (words[0] is "CREATE" or "DROP" or "ATTACH" or "DETACH" && Has(words, "IF", "EXISTS"))
            || (words[0] is "CREATE" or "ATTACH" && Has(words, "IF", "NOT", "EXISTS") && !IsFilling(sql))
            || (words[0] == "CREATE" && Has(words, "OR", "REPLACE")));
    }

    /// <summary>Whether it makes something and then writes rows into it: cut off in between, that is there and half full.</summary>
    public static bool IsFilling(string sql)
    {
        var words = SqlText.Tokens(sql).Where(t => t.Depth == 0).Select(t => sql[t.Start..t.End].ToUpperInvariant()).ToList();
        return words is ["CREATE", ..] && (Has(words, "POPULATE")
            || (words.Take(6).Contains("TABLE", StringComparer.Ordinal) && !Has(words, "EMPTY") && (Has(words, "AS", "SELECT") || Has(words, "AS", "WITH") || Has(words, "AS", "("))));
    }

    /// <summary>Whether it takes rows, or columns of them, away for good.</summary>
    public static bool IsDestructive(string sql)
    {
        var words = SqlText.Tokens(sql).Where(t => t is { Kind: SqlText.TokenKind.Word, Depth: 0 }).Select(t => sql[t.Start..t.End].ToUpperInvariant()).ToList();
        return words switch
        {
            ["TRUNCATE" or "DELETE", ..] => true,
            ["DROP", "TABLE" or "DATABASE" or "SCHEMA", ..] => true,
            ["ALTER", ..] => Array.Exists(Takes, take => Has(words, take)),
            _ => false,
        };
    }

    /// <summary>
    /// Whether the server's refusal means that nothing was changed; an INSERT that fails in the middle leaves what it had written, and one of several
    /// tables may be gone already.
    /// </summary>
    public static bool IsAllOrNothing(string sql) => Words(sql) switch
    {
        ["INSERT" or "WITH", ..] => false,
        ["DROP" or "DETACH" or "TRUNCATE", "DATABASE" or "SCHEMA" or "ALL", ..] => false,
        ["CREATE", ..] => !IsFilling(sql),
        ["DROP" or "DETACH" or "TRUNCATE" or "RENAME" or "EXCHANGE", ..] => !HasComma(sql),
        ["ALTER", ..] => !HasPart(sql) || !HasComma(sql),
        var words => words.Count > 0,
    };

    private static bool HasComma(string sql) => SqlText.Tokens(sql).Any(t => t.Depth == 0 && sql[t.Start..t.End] == ",");

    private static bool HasPart(string sql) => SqlText.Tokens(sql).Any(t => t.IsWord(sql, "PARTITION") || t.IsWord(sql, "PART"));

    private static bool Has(List<string> words, params string[] sequence) =>
        Enumerable.Range(0, Math.Max(0, words.Count - sequence.Length + 1)).Any(at => words.Skip(at).Take(sequence.Length).SequenceEqual(sequence, StringComparer.Ordinal));

    // The name of what is created comes soon; words behind it are columns and expressions.
    private static List<string> Words(string sql) => SqlText.Tokens(sql).TakeWhile(t => t.Kind == SqlText.TokenKind.Word).Take(8)
        .Select(t => sql[t.Start..t.End].ToUpperInvariant()).ToList();
}
