namespace Godwit.ClickHouse;

/// <summary>What one statement may set for itself.</summary>
public sealed record QueryOptions
{
    /// <summary>The name of the statement in system.processes and system.query_log; the server makes one up when it is null.</summary>
    public string? QueryId { get; init; }

    /// <summary>Server settings for this statement only. They travel in the URL: never put a secret in one.</summary>
    public IReadOnlyDictionary<string, string>? Settings { get; init; }

    /// <summary>
    /// How long to wait for the answer; null means <see cref="ClickHouseOptions.QueryTimeout"/>, and
    /// <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> means for ever. In a stream it bounds each wait, not the whole.
    /// When it passes, the statement may still be running on the server.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The HTTP session (temporary tables, SET); one statement at a time can use it.</summary>
    public string? SessionId { get; init; }

    /// <summary>The database of unqualified names; the user's default one when null.</summary>
    public string? Database { get; init; }
}
