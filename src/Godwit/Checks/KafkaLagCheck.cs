using Godwit.Kafka;

namespace Godwit.Checks;

/// <summary>A table that is far behind would be further behind after a pause, keeps a second consumer waiting, and is not what its readers take it for.</summary>
internal sealed class KafkaLagCheck : IKafkaCheck
{
    public string Name => "kafka-lag";

    public CheckResult? Run(KafkaGate gate)
    {
        var table = gate.Table;
        if (gate.Lag is not { } lag)
        {
            return this.Unreadable($"Where {table.Name} stands in Kafka cannot be read: {gate.Problem} Look whether the broker is up, can be reached from here, and is the one that the table names.");
        }

        if (lag.Partitions.FirstOrDefault(p => p.IsBeyondEnd) is { } beyond)
        {
            return this.Refuse(
                $"Group {table.Group} of {table.Name} is at offset {beyond.Committed} of {beyond.Partition}, which ends at {beyond.End}: the topic was made anew. "
                + "Give the table another group, or set the group's offsets.");
        }

        if (lag.Total <= gate.Options.MaxLag)
        {
            return this.Ok($"{table.Name} is {Plain.Count(lag.Total)} messages behind its topics.");
        }

        var worst = lag.Partitions.MaxBy(p => p.Lag)!;
        var polled = gate.Consumers?.Min(c => c.LastPoll) is { } ago ? $" Its consumers last asked for messages {Plain.Time(ago)} ago." : "";
        return this.Refuse(
            $"{table.Name} is {Plain.Count(lag.Total)} messages behind its topics ({Plain.Count(worst.Lag)} in {worst.Partition}), and no more than "
            + $"{Plain.Count(gate.Options.MaxLag)} are allowed.{polled} Wait until it has caught up.");
    }
}
