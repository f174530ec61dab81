using Godwit.ClickHouse;
using Godwit.Kafka;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>What a Kafka table that is held reads, so that its brokers can be asked before it goes on.</summary>
/// <param name="Table">The table that is attached when they answer.</param>
/// <param name="Brokers">The brokers, host:port each.</param>
/// <param name="Topics">The topics.</param>
/// <param name="Group">The consumer group.</param>
internal sealed record HeldQueue(QualifiedName Table, IReadOnlyList<string> Brokers, IReadOnlyList<string> Topics, string Group)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(200);

    /// <summary>Reads those that are about to be held. Who has accepted that Kafka cannot be asked is not kept waiting for an answer.</summary>
    public static async Task<IReadOnlyList<HeldQueue>> ReadAsync(StepContext context, RebuildSpec spec, IReadOnlyList<QualifiedName> held, CancellationToken ct)
    {
        List<HeldQueue> queues = [];
        foreach (var name in spec.Accepted.Contains("kafka-lag", StringComparer.Ordinal) ? [] : spec.Queues.Intersect(held))
        {
            queues.AddRange((await KafkaTable.ReadAsync(context.Gateway, name, ct)).Table is { } table ? [new HeldQueue(name, table.Brokers, table.Topics, table.Group)] : []);
        }

        return queues;
    }

    /// <summary>
    /// Waits until the brokers answer for the group. Nothing arrives while they are away, and a Kafka table that is attached then may never read again (seen with
    /// ClickHouse 26.7 and Kafka 0.9.0.1).
    /// </summary>
    /// <param name="context">Is told what is waited for.</param>
    /// <param name="limit">Ends the waiting; that is no error.</param>
    /// <returns>Why they did not answer; null when they did.</returns>
    public async Task<string?> AwaitAsync(StepContext context, CancellationToken limit)
    {
        string? problem = null;
        while (!limit.IsCancellationRequested && (problem = await ProblemAsync(context, limit)) is not null)
        {
            context.Board.Brake = $"The feed goes on when Kafka is back: {problem}";
            await Task.Delay(BetweenLooks, context.Clock, CancellationToken.None);
        }

        context.Board.Brake = null;
        return problem;
    }

    private async Task<string?> ProblemAsync(StepContext context, CancellationToken ct)
    {
        try
        {
            using var client = new KafkaClient(Brokers, context.Clock);
            await client.CommittedAsync(Group, await client.PartitionsAsync(Topics, ct), ct);
            return null;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return "it did not answer in the time that was left";
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Whatever a broker makes of it: the table is attached when the limit is over.
            return e.Message;
        }
    }
}
