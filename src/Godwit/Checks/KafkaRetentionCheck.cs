using System.Globalization;
using Godwit.Kafka;

namespace Godwit.Checks;

/// <summary>Kafka must not delete what was not read, while the feed is held or before a second consumer has read it. After a pause as long again may pass before it is.</summary>
internal sealed class KafkaRetentionCheck : IKafkaCheck
{
    public string Name => "kafka-retention";

    public CheckResult? Run(KafkaGate gate)
    {
        if (gate.Lag is not { } lag)
        {
            return this.Unreadable($"How long Kafka keeps the messages of {gate.Table.Name} cannot be read: {gate.Problem}");
        }

        List<string> refusals = [];
        List<string> warnings = [];
        foreach (var partitions in lag.Partitions.GroupBy(p => p.Partition.Topic, StringComparer.Ordinal))
        {
            var told = lag.Retentions.GetValueOrDefault(partitions.Key);
            if ((told ?? Known(gate.Options)) is not { } retention)
            {
                return this.Unreadable(
                    $"Kafka does not tell how long it keeps the messages of topic {partitions.Key} (brokers do from 0.11 on, and only who may ask). "
                    + "Look up its retention.ms and give it with --kafka-retention, if it is enough.");
            }

            var worst = partitions.MaxBy(p => Need(p, gate).Time)!;
            if (Judge(worst, retention, gate, partitions.Sum(p => p.Lost)) is { } refusal)
            {
                refusals.Add(refusal);
            }

            warnings.AddRange(Unknowns(partitions, retention));
        }

        return refusals.Count > 0 ? this.Refuse(string.Join(' ', refusals))
            : warnings.Count > 0 ? this.Warn(string.Join(' ', warnings))
            : this.Ok(gate.Options.IsHeld
                ? $"Kafka keeps the messages of {gate.Table.Name} long enough for a pause of {Plain.Time(gate.Options.Pause)}."
                : $"Kafka has deleted nothing that {gate.Table.Name} has not read.");
    }

    // Without a pause a topic may keep silent: what was deleted unread is seen all the same.
    private static KafkaRetention? Known(KafkaGateOptions options) =>
        options.Retention is { } time ? new KafkaRetention(time, null) : options.IsHeld ? null : new KafkaRetention(null, null);

    private static (TimeSpan Age, TimeSpan Time) Need(PartitionLag partition, KafkaGate gate)
    {
        var age = gate.Lag!.At - partition.OldestUnread is { Ticks: > 0 } behind ? behind : TimeSpan.Zero;
        return (age, age + (2 * gate.Options.Pause));
    }

    private static string? Judge(PartitionLag partition, KafkaRetention retention, KafkaGate gate, long lost)
    {
        var topic = partition.Partition.Topic;
        if (lost > 0)
        {
            return $"{Plain.Count(lost)} messages of topic {topic} were deleted before {gate.Table.Name} had read them. Raise its retention.ms, and wait until the table has caught up.";
        }

        // A topic that has reached its size keeps what is as old as the oldest message, whatever its time.
        var bySize = retention.Bytes is not null && partition.Earliest > 0 ? gate.Lag!.At - partition.OldestRetained : null;
        var (age, need) = Need(partition, gate);
        if (bySize is { } reach && need > reach)
        {
            return $"Topic {topic} keeps {Plain.Bytes(retention.Bytes!.Value)} of each partition, which is {Plain.Time(reach)} of {partition.Partition}, and {Plain.Time(need)} are needed: "
                + $"{Reason(age, gate)}. Raise its retention.bytes{OrShorter(gate)}.";
        }

        return retention.Time is { } kept && need > kept
            ? $"Topic {topic} keeps messages for {Plain.Time(kept)}, and {Plain.Time(need)} are needed: {Reason(age, gate)}. "
                + $"Set its retention.ms to {((long)Math.Ceiling(need.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture)} or more{OrShorter(gate)}."
            : null;
    }

    private static string Reason(TimeSpan age, KafkaGate gate) =>
        $"the first message that {gate.Table.Name} has not read is {Plain.Time(age)} old"
        + (gate.Options.IsHeld ? $", the pause may be {Plain.Time(gate.Options.Pause)}, and as long again passes before all is read" : "");

    private static string OrShorter(KafkaGate gate) => gate.Options.IsHeld ? ", or allow a shorter pause" : "";

    private static IEnumerable<string> Unknowns(IEnumerable<PartitionLag> partitions, KafkaRetention retention)
    {
        var timeless = partitions.FirstOrDefault(p => p.Lag > 0 && p.OldestUnread is null);
        if (timeless is not null && retention.Time is not null)
        {
            yield return $"The messages of {timeless.Partition} carry no times, so those that were not read ({Plain.Count(timeless.Lag)}) are taken for new ones.";
        }

        var sized = partitions.FirstOrDefault(p => p.Earliest == 0 || p.OldestRetained is null);
        if (sized is not null && retention.Bytes is { } bytes)
        {
            yield return $"Topic {sized.Partition.Topic} keeps no more than {Plain.Bytes(bytes)} of each partition; whether that lasts for the pause cannot be told.";
        }
    }
}
