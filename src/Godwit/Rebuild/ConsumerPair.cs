using Godwit.ClickHouse;
using Godwit.Runs;
using Godwit.Steps;

namespace Godwit.Rebuild;

/// <summary>The journal's fact that names are about to change hands, or have.</summary>
internal sealed record SwapFact(bool ToExchanged, bool IsDone);

/// <summary>
/// Two Kafka tables, each with a view: the user's fills the source, ours fills staging, in a group of its own that began where the user's stood before the
/// base was marked. So each message reaches both tables, and some of the base reach staging twice: these are left out of the copy by their identity.
/// At the cutover two pairs of names change hands, the tables' and the Kafka tables'. A view reads from, and writes to, whatever has the names in its
/// definition, so with both pairs changed no view is touched and each consumer goes on into the table that it has filled all the time; the way back is the
/// same. A consumer looks up its view and its view's table when it begins a block. None may begin one between the two changes, so there is a gate: one more
/// view on each Kafka table, whose table is dropped. ClickHouse begins no block while the table of a view is missing; blocks under way end where
/// they began. No consumer leaves its group, so nothing waits for a session to end, and readers see the rows of the second consumer from then on.
/// </summary>
internal sealed class ConsumerPair(StepContext context, RebuildSpec spec)
{
    /// <summary>The journal's fact that says which table the second Kafka table is.</summary>
    public const string UuidFact = "consumer-uuid";

    private const string Fact = "swap";

    private readonly SecondConsumer _second = spec.Second!;

    private QualifiedName Queue => HelperTables.Queue(spec);

    private QualifiedName View => HelperTables.ViewOf(Queue);

    private QualifiedName Gate => HelperTables.Gate(spec);

    private QualifiedName[] GateViews => [HelperTables.ViewOf(Gate with { Table = Gate.Table + "1" }), HelperTables.ViewOf(Gate with { Table = Gate.Table + "2" })];

    /// <summary>Makes the second consumer; it begins to read. What an attempt that was cut off has made is taken over: with the view it has begun.</summary>
    public async Task CreateAsync(CancellationToken ct)
    {
        if (await TableReader.FindUuidAsync(context.Gateway, Queue, ct) is null)
        {
            await new ConsumerOffsets(context, _second).CommitStartAsync(ct);
            await context.ChangeAsync("create-queue", ct, _second.QueueSql);
        }

        await context.ChangeAsync("create-feed", ct, $"CREATE MATERIALIZED VIEW IF NOT EXISTS {View.ToSql()} TO {spec.Staging.ToSql()} AS {_second.Select}");
        await context.Journal.FactAsync(UuidFact, await TableReader.FindUuidAsync(context.Gateway, Queue, ct)
            ?? throw new NeedsOperatorException($"{Queue} was created and is gone. Find out who drops tables in {Queue.Database}."));
    }

    /// <summary>Drops the Kafka table that has the second name, with its view.</summary>
    /// <param name="expected">Which of the two it must be; null for whatever it is.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="NeedsOperatorException">It is another one.</exception>
    public async Task DropAsync(Guid? expected, CancellationToken ct)
    {
        if (await TableReader.FindUuidAsync(context.Gateway, Queue, ct) is { } present && expected is not null && present != expected)
        {
            throw new NeedsOperatorException(
                $"{Queue} is not the Kafka table that is not needed any more, so it is not dropped: the names of {_second.Queue} and {Queue} are the wrong way round. Look at both, and put them right with EXCHANGE TABLES.");
        }

        await context.ChangeAsync("drop-consumer", ct, $"DROP TABLE IF EXISTS {View.ToSql()}", $"DROP TABLE IF EXISTS {Queue.ToSql()} SYNC");
    }

    /// <summary>Both pairs of names change hands.</summary>
    /// <returns>How long the tables' own exchange took.</returns>
    public async Task<TimeSpan> SwapAsync(bool toExchanged, CancellationToken ct)
    {
        context.Board.Activity = "exchanging the names";
        await context.Journal.FactAsync(Fact, new SwapFact(toExchanged, IsDone: false));
        await CloseAsync(ct);
        var began = context.Clock.GetTimestamp();
        await context.ChangeAsync("exchange", ct, $"EXCHANGE TABLES {spec.Source.ToSql()} AND {spec.Staging.ToSql()}");
        var took = context.Clock.GetElapsedTime(began);
        await ExchangeQueuesAsync(ct);
        await OpenAsync();
        await context.Journal.FactAsync(Fact, new SwapFact(toExchanged, IsDone: true));
        return took;
    }

    /// <summary>Brings a swap that was cut off to a consistent end, whichever, and lets both consumers go on. It is not cancelled.</summary>
    /// <exception cref="StepFailedException">A Kafka table is not one of the two.</exception>
    public async Task SettleAsync()
    {
        if (context.Journal.Find<SwapFact>(Fact) is not { IsDone: false } swap)
        {
            return;
        }

        // An EXCHANGE whose answer was lost may still be under way; whether the tables have changed hands decides.
        await LongStatement.KillOwnAsync(context, CancellationToken.None);
        var isExchanged = await TableReader.FindUuidAsync(context.Gateway, spec.Source, CancellationToken.None) == context.Journal.Find<Guid>(CreateStaging.UuidFact);
        if (await AreQueuesExchangedAsync() != isExchanged)
        {
            await ExchangeQueuesAsync(CancellationToken.None);
        }

        await OpenAsync();
        await context.Journal.FactAsync(Fact, swap with { IsDone = true });
    }

    private async Task<bool> AreQueuesExchangedAsync()
    {
        var present = await TableReader.FindUuidAsync(context.Gateway, _second.Queue, CancellationToken.None);
        return present == _second.QueueUuid ? false : present == context.Journal.Find<Guid>(UuidFact) ? true : throw new StepFailedException(
            $"{_second.Queue} is neither the Kafka table that this run began with ({_second.QueueUuid}) nor the one that it made. Nothing is read from Kafka until it is: put the names right, then `resume` or `rollback`.");
    }

    private Task ExchangeQueuesAsync(CancellationToken ct) => context.ChangeAsync("exchange-queues", ct, $"EXCHANGE TABLES {_second.Queue.ToSql()} AND {Queue.ToSql()}");

    // Only from a consistent state: the first of these statements opens a gate that was closed.
    private Task CloseAsync(CancellationToken ct) => context.ChangeAsync(
        "close-gate",
        ct,
        [
            .. GateViews.Select(v => $"DROP TABLE IF EXISTS {v.ToSql()}"),
            $"CREATE TABLE IF NOT EXISTS {Gate.ToSql()} (n UInt8) ENGINE = Null",
            .. GateViews.Zip([_second.Queue, Queue]).Select(g => $"CREATE MATERIALIZED VIEW {g.First.ToSql()} TO {Gate.ToSql()} AS SELECT toUInt8(1) AS n FROM {g.Second.ToSql()}"),
            $"DROP TABLE {Gate.ToSql()}",
        ]);

    private Task OpenAsync() => context.ChangeAsync(
        "open-gate", CancellationToken.None, [.. GateViews.Append(Gate).Select(t => $"DROP TABLE IF EXISTS {t.ToSql()}")]);
}
