using Godwit.Kafka;

namespace Godwit.Checks;

/// <summary>When partitions move from one consumer to another, messages may be stored twice, and nothing is read for a while. A second consumer has a group of its own.</summary>
internal sealed class KafkaRebalancesCheck : IKafkaCheck
{
    public string Name => "kafka-rebalances";

    public CheckResult? Run(KafkaGate gate)
    {
        if (gate.Consumers is not { } consumers || !gate.Options.IsHeld)
        {
            return null;
        }

        return consumers.Where(c => c.LastRebalance <= gate.Options.Calm).MinBy(c => c.LastRebalance) is { LastRebalance: { } ago } moved
            ? this.Refuse(
                $"Group {gate.Table.Group} of {gate.Table.Name} moved partitions between its consumers {Plain.Time(ago)} ago ({Plain.Count(moved.Rebalances)} times since consumer {moved.Id} began). "
                + $"Try again when it has been calm for {Plain.Time(gate.Options.Calm)}; if it never is, look for consumers that come and go.")
            : consumers.All(c => c.Partitions == 0) ? this.Warn(
                $"No consumer of {gate.Table.Name} has partitions at this moment, so nothing is read. One that was made or attached just now gets them within seconds; "
                + "otherwise look at exceptions in system.kafka_consumers.")
            : this.Ok($"No consumer of {gate.Table.Name} has lost partitions for {Plain.Time(gate.Options.Calm)}.");
    }
}
