using System.Collections.Frozen;
using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Testing;

/// <summary>A statement on its way to the server.</summary>
/// <param name="Sql">Its text.</param>
/// <param name="QueryId">Its id; null when the server makes one up.</param>
/// <param name="Settings">Its settings.</param>
internal sealed record SentStatement(string Sql, string? QueryId, IReadOnlyDictionary<string, string> Settings)
{
    private static readonly FrozenSet<string> Reading = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase, "SELECT", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK", "KILL", "USE", "SET");

    // What the HTTP interface takes, rather than the statement.
    private static readonly FrozenSet<string> Transport = FrozenSet.Create(
        StringComparer.Ordinal, "default_format", "wait_end_of_query", "query_id", "session_id", "database");

    /// <summary>Whether it changes something that others see: temporary tables, looks into the log and the ending of queries do not.</summary>
    public bool Changes
    {
        get
        {
            var words = SqlText.Tokens(Sql).Where(t => t.Kind == SqlText.TokenKind.Word).Select(t => Sql[t.Start..t.End].ToUpperInvariant()).ToList();
            return words switch
            {
                [] => false,
                ["WITH", ..] => words.Contains("INSERT", StringComparer.Ordinal),
                ["SYSTEM", "FLUSH", "LOGS", ..] or [_, "TEMPORARY", ..] => false,
                [var first, ..] => !Reading.Contains(first),
            };
        }
    }

    /// <summary>The statement of a request; null when it has none.</summary>
    public static SentStatement? Of(HttpRequestMessage request)
    {
        if (request.Content is not StatementContent { Sql: var sql })
        {
            return null;
        }

        var all = request.RequestUri!.Query.TrimStart('?').Split('&').Select(p => p.Split('=', 2))
            .ToDictionary(p => Uri.UnescapeDataString(p[0]), p => Uri.UnescapeDataString(p[^1]), StringComparer.Ordinal);
        return new SentStatement(sql, all.GetValueOrDefault("query_id"), all.Where(p => !Transport.Contains(p.Key)).ToDictionary(StringComparer.Ordinal));
    }
}
