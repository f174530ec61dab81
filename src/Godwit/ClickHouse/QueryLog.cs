namespace Godwit.ClickHouse;

/// <summary>How a statement ended, as far as the server's log tells.</summary>
internal enum QueryEnd
{
    /// <summary>The log does not tell: it is off, was not written before the server died, or holds a beginning without an end.</summary>
    Unknown,

    /// <summary>It was refused before it began.</summary>
    NeverBegan,

    /// <summary>It failed while it ran.</summary>
    Failed,

    /// <summary>It ran to its end.</summary>
    Finished,
}

/// <summary>Looks statements up in system.query_log.</summary>
internal static class QueryLog
{
    /// <summary>How the newest statement whose id begins so has ended. The statement must not be running any more.</summary>
    public static async Task<QueryEnd> FindEndAsync(ClickHouseGateway gateway, string queryIdPrefix, CancellationToken ct)
    {
        try
        {
            await gateway.ExecuteAsync("SYSTEM FLUSH LOGS", ct: ct);
            var rows = await gateway.QueryAsync(
                $"SELECT toInt8(type) AS kind FROM system.query_log WHERE startsWith(query_id, {Sql.Literal(queryIdPrefix)}) ORDER BY event_time DESC, kind DESC LIMIT 1", ct: ct);
            return rows is [var row]
                ? row.Int64("kind") switch { 2 => QueryEnd.Finished, 3 => QueryEnd.NeverBegan, 4 => QueryEnd.Failed, _ => QueryEnd.Unknown }
                : QueryEnd.Unknown;
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            // No such table, or no right to read it: nothing can be told.
            return QueryEnd.Unknown;
        }
    }
}
