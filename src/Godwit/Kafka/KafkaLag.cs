namespace Godwit.Kafka;

/// <summary>Where the group of a Kafka table stands in one partition.</summary>
internal sealed record PartitionLag
{
    /// <summary>The partition.</summary>
    public required KafkaPartition Partition { get; init; }

    /// <summary>The offset that the group reads next; null when it has committed none.</summary>
    public required long? Committed { get; init; }

    /// <summary>The oldest offset that is kept.</summary>
    public required long Earliest { get; init; }

    /// <summary>The offset that the next message gets.</summary>
    public required long End { get; init; }

    /// <summary>When the oldest message that is kept was written; null when there is none, or when messages carry no times, as before Kafka 0.10.</summary>
    public DateTimeOffset? OldestRetained { get; init; }

    /// <summary>When the first message was written that the group has not read; null as above.</summary>
    public DateTimeOffset? OldestUnread { get; init; }

    /// <summary>Where the group reads next: without a committed offset at the beginning, unless the server is told otherwise (auto_offset_reset).</summary>
    public long Next => Math.Max(Committed ?? Earliest, Earliest);

    /// <summary>How many messages the group has not read.</summary>
    public long Lag => Math.Max(0, End - Next);

    /// <summary>How many messages were deleted before the group read them.</summary>
    public long Lost => Math.Max(0, Earliest - (Committed ?? Earliest));

    /// <summary>Whether the group has read messages that do not exist, as after a topic was made anew.</summary>
    public bool IsBeyondEnd => Committed > End;
}

/// <summary>Where a Kafka table stands in its topics.</summary>
/// <param name="Partitions">Each partition of each topic.</param>
/// <param name="Retentions">What each topic keeps; null where the broker does not tell.</param>
/// <param name="At">When it was so.</param>
internal sealed record KafkaLag(IReadOnlyList<PartitionLag> Partitions, IReadOnlyDictionary<string, KafkaRetention?> Retentions, DateTimeOffset At)
{
    /// <summary>How many messages of all partitions the group has not read.</summary>
    public long Total => Partitions.Aggregate(0L, (sum, p) => sum > long.MaxValue - p.Lag ? long.MaxValue : sum + p.Lag);

    /// <summary>Asks the brokers of a table. Committed offsets are read before the ends of partitions, so that a lag is never too small.</summary>
    /// <exception cref="KafkaException">They do not tell.</exception>
    public static async Task<KafkaLag> ReadAsync(KafkaTable table, KafkaClient client, TimeProvider clock, CancellationToken ct)
    {
        var partitions = await client.PartitionsAsync(table.Topics, ct);
        var committed = await client.CommittedAsync(table.Group, partitions, ct);
        var earliest = await client.OffsetsAsync(partitions, KafkaEnd.Earliest, ct);
        var ends = await client.OffsetsAsync(partitions, KafkaEnd.Latest, ct);
        Dictionary<string, KafkaRetention?> retentions = new(StringComparer.Ordinal);
        foreach (var topic in table.Topics)
        {
            retentions[topic] = await client.RetentionAsync(topic, ct);
        }

        List<PartitionLag> lags = [];
        foreach (var partition in partitions)
        {
            var lag = new PartitionLag
            {
                Partition = partition,
                Committed = committed.TryGetValue(partition, out var offset) ? offset : null,
                Earliest = Of(earliest, partition),
                End = Of(ends, partition),
            };
            lags.Add(lag with
            {
                OldestRetained = lag.Earliest < lag.End ? await client.TimeAsync(partition, lag.Earliest, ct) : null,
                OldestUnread = lag.Lag > 0 ? await client.TimeAsync(partition, lag.Next, ct) : null,
            });
        }

        return new KafkaLag(lags, retentions, clock.GetUtcNow());
    }

    private static long Of(IReadOnlyDictionary<KafkaPartition, long> offsets, KafkaPartition partition) =>
        offsets.TryGetValue(partition, out var offset) && offset >= 0 ? offset : throw new KafkaException($"The broker does not tell where {partition} begins and ends.");
}
