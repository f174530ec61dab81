using Godwit.Kafka;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>Where a group begins to read, as the journal keeps it.</summary>
internal sealed record OffsetFact(string Topic, int Partition, long Offset);

/// <summary>
/// How far the two groups of a <see cref="ConsumerPair"/> have read. ClickHouse commits an offset when the rows before it are stored, so whatever is
/// before a committed offset can be seen. A broker that is away is waited for.
/// </summary>
internal sealed class ConsumerOffsets(StepContext context, SecondConsumer second)
{
    private const string StartFact = "consumer-start";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Lets the second group begin where the first one stands. May only be called before the second group has read anything, and before the position is
    /// marked up to which rows are copied: what the first group has stored later is brought by both, and nothing by none.
    /// </summary>
    public async Task CommitStartAsync(CancellationToken ct)
    {
        if (!context.Journal.Has(StartFact))
        {
            var start = await NextAsync(second.FirstGroup, ct);
            await context.Journal.FactAsync(StartFact, start.Select(o => new OffsetFact(o.Key.Topic, o.Key.Number, o.Value)).ToList());
        }

        var offsets = context.Journal.Get<List<OffsetFact>>(StartFact).ToDictionary(o => new KafkaPartition(o.Topic, o.Partition), o => o.Offset);
        await context.Journal.IntentAsync("commit-offsets", new { second.SecondGroup });
        using var client = new KafkaClient(second.Brokers, context.Clock);
        try
        {
            await client.CommitAsync(second.SecondGroup, offsets, ct);
        }
        catch (KafkaException e)
        {
            throw new StepFailedException($"The second consumer could not be told where to begin. {e.Message} Mend that and `resume`, or `rollback`.", e);
        }

        await context.Journal.OutcomeAsync("commit-offsets", new { });
    }

    /// <summary>Waits until groups have stored every message that Kafka has by now.</summary>
    public async Task WaitAsync(CancellationToken ct, params string[] groups)
    {
        var ends = await PatientlyAsync(async client => await client.OffsetsAsync(await client.PartitionsAsync(second.Topics, ct), KafkaEnd.Latest, ct), ct);
        foreach (var group in groups)
        {
            while (true)
            {
                var next = await NextAsync(group, ct);
                var left = ends.Sum(e => Math.Max(0, e.Value - next.GetValueOrDefault(e.Key)));
                if (left == 0)
                {
                    break;
                }

                context.Board.Brake =
                    $"waiting for the consumer group {group}, which has {left} messages to read; when that does not change, look at system.kafka_consumers, and DETACH and ATTACH a Kafka table that has no assignments there";
                await Task.Delay(Pause, context.Clock, ct);
            }
        }

        context.Board.Brake = null;
    }

    /// <summary>Whether one group has stored everything that another one has.</summary>
    public async Task<bool> IsAheadAsync(string group, string other, CancellationToken ct)
    {
        var behind = await NextAsync(other, ct);
        var ahead = await NextAsync(group, ct);
        return behind.All(b => ahead.GetValueOrDefault(b.Key) >= b.Value);
    }

    // What a group has not committed it begins at the oldest message, and what is not there any more it cannot read.
    private Task<Dictionary<KafkaPartition, long>> NextAsync(string group, CancellationToken ct) => PatientlyAsync(
        async client =>
        {
            var partitions = await client.PartitionsAsync(second.Topics, ct);
            var committed = await client.CommittedAsync(group, partitions, ct);
            var earliest = await client.OffsetsAsync(partitions, KafkaEnd.Earliest, ct);
            return partitions.ToDictionary(p => p, p => Math.Max(committed.GetValueOrDefault(p), earliest[p]));
        },
        ct);

    private async Task<T> PatientlyAsync<T>(Func<KafkaClient, Task<T>> ask, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                using var client = new KafkaClient(second.Brokers, context.Clock);
                return await ask(client);
            }
            catch (KafkaException e)
            {
                context.Board.Brake = $"waiting for Kafka: {e.Message}";
                await Task.Delay(Pause, context.Clock, ct);
                context.Board.Brake = null;
            }
        }
    }
}
