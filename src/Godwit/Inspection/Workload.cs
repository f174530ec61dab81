using Godwit.ClickHouse;

namespace Godwit.Inspection;

/// <summary>The finished SELECTs on a table that system.query_log of the given server holds. Queries that only other nodes ran are not in it.</summary>
/// <param name="Table">The table.</param>
/// <param name="Days">How many days back were looked at.</param>
public sealed record Workload(QualifiedName Table, int Days)
{
    /// <summary>Why there is nothing to see though there may have been queries, as a sentence; null when the log could be read.</summary>
    public string? Unavailable { get; init; }

    /// <summary>Queries of one shape, those that read the most rows in all first; at most 50.</summary>
    public IReadOnlyList<QueryShape> Queries { get; init; } = [];
}

/// <summary>Queries that differ only in their literals.</summary>
/// <param name="Id">normalized_query_hash; text, since it does not fit into the numbers of JavaScript.</param>
/// <param name="Text">The newest of them, cut to 2,000 characters.</param>
public sealed record QueryShape(string Id, string Text)
{
    /// <summary>How often they ran.</summary>
    public long Count { get; init; }

    /// <summary>When the newest ran.</summary>
    public DateTimeOffset LastAt { get; init; }

    /// <summary>Rows that they read from all their tables.</summary>
    public required LogFigure ReadRows { get; init; }

    /// <summary>Bytes that they read, before compression.</summary>
    public required LogFigure ReadBytes { get; init; }

    /// <summary>How long they took, in milliseconds.</summary>
    public required LogFigure DurationMs { get; init; }

    /// <summary>Columns of the table that they read, as the server says.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];

    /// <summary>Columns of the table in their conditions (WHERE, PREWHERE), read from the text.</summary>
    public IReadOnlyList<ConditionColumn> Conditions { get; init; } = [];

    /// <summary>What is needed to ask the server how it would read for it.</summary>
    internal LoggedQuery Logged { get; init; } = LoggedQuery.None;
}

/// <summary>A figure of several queries.</summary>
/// <param name="Total">Of all of them.</param>
/// <param name="Median">Of the one in the middle, nearly.</param>
public sealed record LogFigure(long Total, long Median);

/// <summary>A column in a condition.</summary>
/// <param name="Name">The column.</param>
/// <param name="Use">What is asked of it; the most useful for a key when it stands there more than once.</param>
public sealed record ConditionColumn(string Name, ConditionUse Use);

/// <summary>What a condition asks of a column, the most useful for a sorting key first.</summary>
public enum ConditionUse
{
    /// <summary>It equals a value, or one of several.</summary>
    Equality,

    /// <summary>It lies between values, or begins with a text.</summary>
    Range,

    /// <summary>Anything that a sorting key does not help with.</summary>
    Other,
}

/// <summary>A query as the log has it.</summary>
/// <param name="Text">The server's own formatting of it; null when it cannot be had.</param>
/// <param name="Database">The database of its unqualified names.</param>
/// <param name="Obstacle">Why it must not be sent again, not even to be explained; null when it may.</param>
internal sealed record LoggedQuery(string? Text, string Database, string? Obstacle)
{
    public static LoggedQuery None { get; } = new(null, "", null);
}
