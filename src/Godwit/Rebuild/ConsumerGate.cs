using Godwit.ClickHouse;
using Godwit.Kafka;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>
/// Keeps the consumers of two Kafka tables from beginning a block: one more view on each, whose table is dropped. ClickHouse begins no block while the table of
/// a view is missing; blocks under way end where they began. But it asks for that first, looks up the views and their tables then, and begins to read last: a
/// consumer that is between these when the gate closes may find its tables before or after names change hands (seen once with 26.7, on a machine with
/// twenty times the load that it can carry: one of the tables lacked a block). So each is waited for until it was seen reading behind
/// the closed gate, which it does only when it has found its tables, or was idle for much longer than it stays between.
/// </summary>
/// <param name="context">The step.</param>
/// <param name="spec">The rebuild.</param>
internal sealed class ConsumerGate(StepContext context, RebuildSpec spec)
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    private QualifiedName[] Queues => [spec.Second!.Queue, HelperTables.Queue(spec)];

    private QualifiedName Table => HelperTables.Gate(spec);

    private QualifiedName[] Views => [HelperTables.ViewOf(Table with { Table = Table.Table + "1" }), HelperTables.ViewOf(Table with { Table = Table.Table + "2" })];

    /// <summary>Closes it, and waits until no consumer is on its way through. Only from a consistent state: the first of its statements opens a gate that was closed.</summary>
    public async Task CloseAsync(CancellationToken ct)
    {
        await context.ChangeAsync(
            "close-gate",
            ct,
            [
                .. Views.Select(v => $"DROP TABLE IF EXISTS {v.ToSql()}"),
                $"CREATE TABLE IF NOT EXISTS {Table.ToSql()} (n UInt8) ENGINE = Null",
                .. Views.Zip(Queues).Select(g => $"CREATE MATERIALIZED VIEW {g.First.ToSql()} TO {Table.ToSql()} AS SELECT toUInt8(1) AS n FROM {g.Second.ToSql()}"),
                $"DROP TABLE {Table.ToSql()}",
            ]);
        context.Board.Activity = "waiting for consumers that are beginning a block";
        await PassAsync(context.Gateway, (await context.DialectAsync(ct)).Capabilities, Queues, context.Clock, ct);
    }

    /// <summary>Waits until no consumer is on its way through a gate that was closed just now.</summary>
    public static async Task PassAsync(ClickHouseGateway gateway, Capabilities capabilities, IReadOnlyList<QualifiedName> queues, TimeProvider clock, CancellationToken ct)
    {
        HashSet<string> through = [];
        var closed = clock.GetTimestamp();
        while (true)
        {
            var consumers = await ConsumersAsync(gateway, capabilities, queues, ct);
            through.UnionWith(consumers.Where(c => c.IsBusy).Select(c => c.Id));
            if (consumers.All(c => through.Contains(c.Id)) || clock.GetElapsedTime(closed) > Between)
            {
                return;
            }

            await Task.Delay(Look, clock, ct);
        }
    }

    /// <summary>Waits until the blocks under way are stored. The gate must be closed.</summary>
    public async Task AwaitBlocksAsync(CancellationToken ct)
    {
        context.Board.Activity = "waiting for the blocks that both consumers are at";
        var capabilities = (await context.DialectAsync(ct)).Capabilities;
        while ((await ConsumersAsync(context.Gateway, capabilities, Queues, ct)).Any(c => c.IsBusy))
        {
            await Task.Delay(Look, context.Clock, ct);
        }
    }

    /// <summary>Opens it. It is not cancelled.</summary>
    public Task OpenAsync() => context.ChangeAsync("open-gate", CancellationToken.None, [.. Views.Append(Table).Select(t => $"DROP TABLE IF EXISTS {t.ToSql()}")]);

    private static async Task<IReadOnlyList<KafkaConsumer>> ConsumersAsync(ClickHouseGateway gateway, Capabilities capabilities, IReadOnlyList<QualifiedName> queues, CancellationToken ct)
    {
        List<KafkaConsumer> consumers = [];
        foreach (var queue in queues)
        {
            consumers.AddRange(await KafkaConsumer.ReadAsync(gateway, capabilities, queue, ct)
                ?? throw new StepFailedException($"{gateway.Name} does not tell what the consumers of {queue} do (system.kafka_consumers), so names cannot be exchanged behind them. `rollback`, and use --strategy pause-feed."));
        }

        return consumers;
    }
}
