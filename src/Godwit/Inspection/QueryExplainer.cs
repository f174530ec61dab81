using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Inspection;

/// <summary>How much of a table a query would read.</summary>
/// <param name="Rows">Rows; 0 also when the server answers without reading, such as a count of all.</param>
/// <param name="Marks">Marks.</param>
internal sealed record ReadEstimate(long Rows, long Marks);

/// <summary>
/// Asks the server how it would read for a query of the log. The text is somebody else's and is never executed: it goes behind EXPLAIN ESTIMATE
/// only, read-only, within a time and without settings of its own. The server still runs the subqueries that it needs for the answer, so one that
/// could reach out of the server is not even explained.
/// </summary>
internal sealed class QueryExplainer(ClickHouseGateway gateway)
{
    private const int Seconds = 5;

    // As the brakes do with a person's SQL: 2 is read-only with settings allowed, and those are ours.
    private static readonly Dictionary<string, string> ReadOnly = new(StringComparer.Ordinal)
    {
        ["readonly"] = "2",
        ["max_execution_time"] = "5",
        ["max_memory_usage"] = "1000000000",
        ["cancel_http_readonly_queries_on_client_close"] = "1",
    };

    /// <summary>What a query would read of a table, or why it cannot be told.</summary>
    /// <param name="query">The query.</param>
    /// <param name="text">Its text, from <see cref="Prepare"/>.</param>
    /// <param name="table">The table as EXPLAIN ESTIMATE names it.</param>
    /// <param name="not">A table that it must not read; null for any.</param>
    /// <param name="session">The session whose temporary tables it sees; null for none.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<(ReadEstimate? Estimate, string? Obstacle)> EstimateAsync(
        LoggedQuery query, string text, QualifiedName table, QualifiedName? not, string? session, CancellationToken ct)
    {
        var options = new QueryOptions
        {
            QueryId = WorkloadReader.OwnQueryId(),
            Settings = session is null ? ReadOnly : new Dictionary<string, string>(ReadOnly.Union(SampleTables.SessionCheck), StringComparer.Ordinal),
            Database = query.Database,
            SessionId = session,
            Timeout = TimeSpan.FromSeconds(4 * Seconds),
        };
        try
        {
            var rows = (await gateway.QueryAsync($"EXPLAIN ESTIMATE {text}", options, ct)).ToLookup(r => new QualifiedName(r["database"], r["table"]));
            return not is not null && rows[not].Any()
                ? (null, "it reads the table in a way that the sample cannot take the place of, such as through a view")
                : (new ReadEstimate(rows[table].Sum(r => r.Int64("rows")), rows[table].Sum(r => r.Int64("marks"))), null);
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException { MayHaveRun: false })
        {
            return (null, $"the server does not explain it: {(e.ServerMessage.Length > 0 ? e.ServerMessage : e.Message)}");
        }
    }

    /// <summary>The text that may be explained, or why none may. It is the server's own formatting: without comments, and one statement.</summary>
    public static (string? Text, string? Obstacle) Prepare(LoggedQuery query)
    {
        if (query.Obstacle is { } obstacle)
        {
            return (null, obstacle);
        }

        if (query.Text is not { } text)
        {
            return (null, "the server cannot read its text from the log, where long ones are cut");
        }

        var tokens = SqlText.Tokens(text);
        if (tokens.Count == 0 || !(tokens[0].IsWord(text, "SELECT") || tokens[0].IsWord(text, "WITH") || text[tokens[0].Start] == '('))
        {
            return (null, "it is no SELECT");
        }

        // Its own settings could take the limits off, and its format would be that of the answer: at its end they are cut away, elsewhere they cannot be.
        bool Word(int at, string word) => at < tokens.Count && tokens[at].IsWord(text, word);
        bool BeginsSettings(int at) => Word(at, "SETTINGS") && at + 2 < tokens.Count && tokens[at + 1].Kind == SqlText.TokenKind.Word && text[tokens[at + 2].Start] == '=';
        bool BeginsEnd(int at) => tokens[at].Depth == 0
            && (BeginsSettings(at) || (Word(at, "INTO") && Word(at + 1, "OUTFILE")) || (Word(at, "FORMAT") && (at + 2 == tokens.Count || Word(at + 2, "SETTINGS"))));
        var end = Enumerable.Range(0, tokens.Count).Where(BeginsEnd).FirstOrDefault(tokens.Count);
        return Enumerable.Range(0, end).Any(BeginsSettings) || Enumerable.Range(end, tokens.Count - end).Any(at => Word(at, "SELECT"))
            ? (null, "a part of it brings settings of its own")
            : (end == tokens.Count ? text : text[..tokens[end].Start], null);
    }

    /// <summary>
    /// The same query over a temporary table of the table's own name, which hides it: only the database before the name has to go, and all
    /// aliases stay as they are.
    /// </summary>
    public static (string? Text, string? Obstacle) Over(string text, string database, QualifiedName table)
    {
        var tokens = SqlText.Tokens(text);
        var result = new System.Text.StringBuilder();
        var copied = 0;
        for (var i = 0; i < tokens.Count; i++)
        {
            if (SqlNames.At(text, tokens, i) is not { } name)
            {
                continue;
            }

            if (name.Parts.Count > 1 && name.Parts[0] == table.Database && name.Parts[1] == table.Table)
            {
                result.Append(text, copied, tokens[i].Start - copied).AppendJoin('.', name.Parts.Skip(1).Select(Sql.Identifier));
                copied = tokens[name.Last].End;
            }
            else if (name.Parts is [var only] && only == table.Table && database != table.Database && i > 0 && (tokens[i - 1].IsWord(text, "FROM") || tokens[i - 1].IsWord(text, "JOIN")))
            {
                return (null, $"it reads another table of the name {table.Table} too");
            }

            i = name.Last;
        }

        return (result.Append(text, copied, text.Length - copied).ToString(), null);
    }
}
