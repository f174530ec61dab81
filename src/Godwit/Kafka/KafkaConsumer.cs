using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Kafka;

/// <summary>One consumer of a Kafka table on one server, as system.kafka_consumers has it. Ages are by the clock of the server.</summary>
internal sealed record KafkaConsumer
{
    /// <summary>Its name in the group.</summary>
    public required string Id { get; init; }

    /// <summary>How many partitions it reads at the moment.</summary>
    public required int Partitions { get; init; }

    /// <summary>Whether it is collecting a block, or storing one: after the view was detached, that block is still stored.</summary>
    public required bool IsBusy { get; init; }

    /// <summary>How long ago it last asked for messages; null for never.</summary>
    public TimeSpan? LastPoll { get; init; }

    /// <summary>How long ago it last committed offsets; null for never.</summary>
    public TimeSpan? LastCommit { get; init; }

    /// <summary>How long ago partitions were last taken from it; null for never.</summary>
    public TimeSpan? LastRebalance { get; init; }

    /// <summary>How often partitions were taken from it.</summary>
    public long Rebalances { get; init; }

    /// <summary>The first line of the last exception; null when there was none.</summary>
    public string? LastException { get; init; }

    /// <summary>How long ago that was.</summary>
    public TimeSpan? LastExceptionAge { get; init; }

    /// <summary>The consumers of a table; null on a server that does not have system.kafka_consumers (before 23.8).</summary>
    public static async Task<IReadOnlyList<KafkaConsumer>?> ReadAsync(ClickHouseGateway gateway, Capabilities capabilities, QualifiedName table, CancellationToken ct)
    {
        if (!capabilities.HasKafkaConsumers)
        {
            return null;
        }

        // Of several exceptions in one second the last one in the list is the newest. What follows its first lines is a stack trace.
        var rows = await gateway.QueryAsync(
            $"""
             SELECT consumer_id, length(assignments.topic) AS partitions, is_currently_used,
                 toInt64(now()) - toInt64(last_poll_time) AS poll, toInt64(last_poll_time) = 0 AS never_polled,
                 toInt64(now()) - toInt64(last_commit_time) AS commit, toInt64(last_commit_time) = 0 AS never_committed,
                 toInt64(now()) - toInt64(last_rebalance_time) AS rebalance, toInt64(last_rebalance_time) = 0 AS never_rebalanced,
                 num_rebalance_revocations, length(exceptions.time) AS exceptions,
                 toInt64(now()) - toInt64(arrayElement(exceptions.time, -1)) AS exception_age, arrayElement(exceptions.text, -1) AS exception
             FROM system.kafka_consumers WHERE {TableReader.Where(table, "table")} ORDER BY consumer_id
             """,
            ct: ct);
        return [.. rows.Select(Read)];
    }

    private static KafkaConsumer Read(Row row) => new()
    {
        Id = row["consumer_id"],
        Partitions = (int)row.Int64("partitions"),
        IsBusy = row.Bool("is_currently_used"),
        LastPoll = Age(row, "poll", row.Bool("never_polled")),
        LastCommit = Age(row, "commit", row.Bool("never_committed")),
        LastRebalance = Age(row, "rebalance", row.Bool("never_rebalanced")),
        Rebalances = row.Int64("num_rebalance_revocations"),
        LastException = row.Int64("exceptions") == 0 ? null : BeforeTrace(row["exception"]),
        LastExceptionAge = Age(row, "exception_age", row.Int64("exceptions") == 0),
    };

    private static TimeSpan? Age(Row row, string column, bool isNever) => isNever ? null : TimeSpan.FromSeconds(Math.Max(0, row.Int64(column)));

    private static string BeforeTrace(string text)
    {
        var lines = text.Split('\n').TakeWhile(l => !l.StartsWith("0. ", StringComparison.Ordinal) && !l.StartsWith("Stack trace", StringComparison.Ordinal)).Select(l => l.Trim());
        var line = Plain.Clean(string.Join(' ', lines));
        return line.Length > 500 ? line[..500] : line;
    }
}
