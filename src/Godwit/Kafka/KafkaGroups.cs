namespace Godwit.Kafka;

/// <summary>What the coordinators of groups tell of them. Layouts and versions: https://kafka.apache.org/protocol and clients/src/main/resources/common/message of each release.</summary>
internal static class KafkaGroups
{
    // 4.x: 0 to 6, 1 to 10, and 2 to 10.
    private static readonly short[] FindCoordinatorVersions = [0];
    private static readonly short[] OffsetFetchVersions = [1];
    private static readonly short[] OffsetCommitVersions = [2];

    /// <summary>The address of the broker that keeps the offsets of a group.</summary>
    public static async Task<string> CoordinatorAsync(KafkaConnection broker, string group, CancellationToken ct)
    {
        var (error, _, address) = await broker.AskAsync(
            KafkaRequest.FindCoordinator, FindCoordinatorVersions, (w, _) => w.Text(group), (r, _) => (r.Int16(), r.Int32(), r.Address()), ct);
        return KafkaErrors.Check(broker.Address, $"the coordinator of group {group}", error, address);
    }

    /// <summary>See <see cref="KafkaClient.CommittedAsync"/>.</summary>
    public static async Task<IReadOnlyDictionary<KafkaPartition, long>> CommittedAsync(
        KafkaConnection broker, string group, IReadOnlyCollection<KafkaPartition> partitions, CancellationToken ct)
    {
        var answers = await broker.AskAsync(
            KafkaRequest.OffsetFetch,
            OffsetFetchVersions,
            (w, _) => w.Text(group).Partitions(partitions, (_, _) => { }),
            (r, _) => r.Partitions(p => (Offset: p.Int64(), Note: p.NullableText(), Error: p.Int16())),
            ct);

        // Old brokers call a partition unknown whose offset was never committed; others answer with -1.
        return answers.Where(a => a.Answer.Error != KafkaErrors.UnknownTopicOrPartition)
            .Select(a => (a.Partition, Offset: KafkaErrors.Check(broker.Address, $"the offsets of group {group}", a.Answer.Error, a.Answer.Offset)))
            .Where(a => a.Offset >= 0).DistinctBy(a => a.Partition).ToDictionary(a => a.Partition, a => a.Offset);
    }

    /// <summary>See <see cref="KafkaClient.CommitAsync"/>.</summary>
    public static async Task CommitAsync(KafkaConnection broker, string group, IReadOnlyDictionary<KafkaPartition, long> offsets, CancellationToken ct)
    {
        // Generation -1 and no member: whoever is in no group. Retention -1: as long as the broker keeps offsets.
        var answers = await broker.AskAsync(
            KafkaRequest.OffsetCommit,
            OffsetCommitVersions,
            (w, _) => w.Text(group).Int32(-1).Text("").Int64(-1).Partitions(offsets.Keys, (p, partition) => p.Int64(offsets[partition]).Text("")),
            (r, _) => r.Partitions(p => p.Int16()),
            ct);
        foreach (var (partition, error) in answers.Where(a => a.Answer != KafkaErrors.None))
        {
            throw error is KafkaErrors.IllegalGeneration or KafkaErrors.UnknownMember or KafkaErrors.RebalanceInProgress
                ? new KafkaException($"The offsets of group {group} cannot be set on {broker.Address}: somebody is reading in it. Stop its consumers and wait until their session has ended.")
                : KafkaErrors.Of(broker.Address, $"that it has set the offset of {partition} for group {group}", error);
        }
    }
}
