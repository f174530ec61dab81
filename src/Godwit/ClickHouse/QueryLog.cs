using System.Globalization;

namespace Godwit.ClickHouse;

/// <summary>How a statement ended, as far as the server's log tells.</summary>
internal enum QueryEnd
{
    /// <summary>The log does not tell: it is off, was lost when the server died, or holds a beginning without an end or one by something else than the statement.</summary>
    Unknown,

    /// <summary>It was refused before it began, or never reached the server.</summary>
    NeverBegan,

    /// <summary>It failed while it ran, of itself.</summary>
    Failed,

    /// <summary>It ran to its end.</summary>
    Finished,
}

/// <summary>The server's log right before a statement is sent: what is needed to trust the log afterwards.</summary>
/// <param name="StartedAt">When the server was started, in seconds since 1970; null when what is not in the log may have run all the same.</param>
/// <param name="QueryId">A statement that is in the log; when it is there no more, others may have gone with it.</param>
internal sealed record QueryLogMark(long? StartedAt, string? QueryId = null);

/// <summary>Looks statements up in system.query_log.</summary>
internal static class QueryLog
{
    // Both the time and the uptime are cut to seconds.
    private const long Tolerance = 2;

    private static readonly Dictionary<string, string> Wanted = new(StringComparer.Ordinal)
    {
        ["log_queries"] = "1",
        ["log_queries_min_type"] = "QUERY_START",
        ["log_queries_min_query_duration_ms"] = "0",
        ["log_queries_probability"] = "1",
    };

    /// <summary>Looks at the log before a statement is sent, and says with which settings the statement is certain to be in it.</summary>
    public static async Task<(QueryLogMark Mark, IReadOnlyDictionary<string, string> Settings)> MarkAsync(ClickHouseGateway gateway, CancellationToken ct)
    {
        var settings = await Known.SettingsAsync(gateway, Wanted, ct);
        if (!await IsOnAsync(gateway, ct))
        {
            return (new QueryLogMark((long?)null), settings);
        }

        // A server that dies right after its start cannot be told from one that goes on.
        var options = new QueryOptions { QueryId = $"godwit-mark-{Guid.NewGuid():N}", Settings = settings };
        var (startedAt, uptime) = await StartAsync(gateway, options, ct);
        return (new QueryLogMark(uptime > Tolerance ? startedAt : null, options.QueryId), settings);
    }

    /// <summary>How a statement has ended. It must not be running any more.</summary>
    /// <param name="gateway">The server.</param>
    /// <param name="queryId">Its id.</param>
    /// <param name="mark">The log before it was sent.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<QueryEnd> FindEndAsync(ClickHouseGateway gateway, string queryId, QueryLogMark mark, CancellationToken ct)
    {
        try
        {
            if (!await FlushAsync(gateway, ct))
            {
                return QueryEnd.Unknown;
            }

            var rows = await gateway.QueryAsync(
                $"SELECT toInt8(type) AS kind, exception_code AS code FROM system.query_log WHERE query_id = {Sql.Literal(queryId)} ORDER BY event_time DESC, kind DESC LIMIT 1", ct: ct);
            return rows is [var row]
                ? row.Int64("kind") switch { 2 => QueryEnd.Finished, 3 => QueryEnd.NeverBegan, 4 when !ClickHouseErrorCodes.ComesMidway((int)row.Int64("code")) => QueryEnd.Failed, _ => QueryEnd.Unknown }
                : await IsWholeAsync(gateway, mark, ct) ? QueryEnd.NeverBegan : QueryEnd.Unknown;
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            // No such table, or no right to read it: nothing can be told.
            return QueryEnd.Unknown;
        }
    }

    /// <summary>Whether there is a log that can tell how statements ended.</summary>
    public static async Task<bool> IsOnAsync(ClickHouseGateway gateway, CancellationToken ct) =>
        await FlushAsync(gateway, ct) && await gateway.ScalarAsync<long>("SELECT count() FROM system.tables WHERE database = 'system' AND name = 'query_log'", ct: ct) > 0;

    private static async Task<bool> FlushAsync(ClickHouseGateway gateway, CancellationToken ct)
    {
        try
        {
            await gateway.ExecuteAsync("SYSTEM FLUSH LOGS", ct: ct);
            return true;
        }
        catch (ClickHouseException e) when (e.Code == ClickHouseErrorCodes.AccessDenied)
        {
            return false;
        }
    }

    /// <summary>Whether the log holds everything since the mark: the server was not started again, and nothing was taken out of it.</summary>
    private static async Task<bool> IsWholeAsync(ClickHouseGateway gateway, QueryLogMark mark, CancellationToken ct) =>
        mark is { StartedAt: { } before, QueryId: { } id }
        && Math.Abs((await StartAsync(gateway, null, ct)).StartedAt - before) <= Tolerance
        && await gateway.ScalarAsync<long>($"SELECT toInt64(count()) FROM system.query_log WHERE query_id = {Sql.Literal(id)}", ct: ct) > 0;

    private static async Task<(long StartedAt, long Uptime)> StartAsync(ClickHouseGateway gateway, QueryOptions? options, CancellationToken ct)
    {
        var row = (await gateway.QueryAsync("SELECT toUnixTimestamp(now()) AS now, toUInt32(uptime()) AS up", options, ct))[0];
        var (now, up) = (long.Parse(row["now"], CultureInfo.InvariantCulture), long.Parse(row["up"], CultureInfo.InvariantCulture));
        return (now - up, up);
    }
}
