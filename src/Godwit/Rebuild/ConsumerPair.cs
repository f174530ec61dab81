using Godwit.ClickHouse;
using Godwit.Runs;
using Godwit.Steps;

namespace Godwit.Rebuild;

/// <summary>The journal's fact that names are about to change hands, or have.</summary>
/// <param name="ToExchanged">Whether the new table gets the name, and not the old one.</param>
/// <param name="IsDone">Whether they have.</param>
internal sealed record SwapFact(bool ToExchanged, bool IsDone)
{
    /// <summary>
    /// How long the tables' own exchange took, and for how long consumers that were at a block were waited for before it; null when another process has seen
    /// the beginning, or nobody the end.
    /// </summary>
    public CutoverFigures? Figures { get; init; }
}

/// <summary>
/// Two Kafka tables, each with a view: the user's fills the source, ours fills staging, in a group of its own that began where the user's stood before the
/// base was marked. So each message reaches both tables, and some of the base reach staging twice: these are left out of the copy by their identity.
/// At the cutover two pairs of names change hands, the tables' and the Kafka tables'. A view reads from, and writes to, whatever has the names in its
/// definition, so with both pairs changed no view is touched and each consumer goes on into the table that it has filled all the time; the way back is the
/// same. A consumer looks up its view and its view's table when it begins a block, and none may begin one between the two changes: see <see cref="ConsumerGate"/>.
/// With a Distributed table between a view and its table, which finds that table by name when a block is stored, blocks under way are waited for, too. No
/// consumer leaves its group, so nothing waits for a session to end, and readers see the rows of the second consumer from then on.
/// </summary>
internal sealed class ConsumerPair(StepContext context, RebuildSpec spec)
{
    /// <summary>The journal's fact that says which table the second Kafka table is.</summary>
    public const string UuidFact = "consumer-uuid";

    /// <summary>The journal's fact that the names are changing hands, behind a closed gate, or have.</summary>
    public const string Fact = "swap";

    private readonly SecondConsumer _second = spec.Second!;
    private readonly ConsumerGate _gate = new(context, spec);

    private QualifiedName Queue => HelperTables.Queue(spec);

    private QualifiedName View => HelperTables.ViewOf(Queue);

    private QualifiedName Filled => _second.Spread is null ? spec.Staging : HelperTables.Spread(spec);

    /// <summary>Whether an exchange of names was cut off.</summary>
    public static bool IsCutOff(StepJournal journal) => journal.Find<SwapFact>(Fact) is { IsDone: false };

    /// <summary>Makes the second consumer; it begins to read. What an attempt that was cut off has made is taken over: with the view it has begun.</summary>
    public async Task CreateAsync(CancellationToken ct)
    {
        if (await TableReader.FindUuidAsync(context.Gateway, Queue, ct) is null)
        {
            await new ConsumerOffsets(context, _second).CommitStartAsync(ct);
            await context.ChangeAsync("create-queue", ct, _second.QueueSql);
        }

        await context.ChangeAsync(
            "create-feed",
            ct,
            [
                .. _second.SpreadSql is { } spread ? new[] { spread } : [],
                $"CREATE MATERIALIZED VIEW IF NOT EXISTS {View.ToSql()} TO {Filled.ToSql()} AS {_second.Select}",
            ]);
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
            throw new NeedsOperatorException(present == _second.QueueUuid || present == context.Journal.Find<Guid>(UuidFact)
                ? $"{Queue} is not the Kafka table that is not needed any more, so it is not dropped: the names of {_second.Queue} and {Queue} are the wrong way round. Look at both, and put them right with EXCHANGE TABLES."
                : $"{Queue} was made anew by somebody, so it is not dropped. Look what it is, drop it and {View} by hand if they are not wanted, then do the same again.");
        }

        await context.ChangeAsync(
            "drop-consumer",
            ct,
            [
                $"DROP TABLE IF EXISTS {View.ToSql()}",
                $"DROP TABLE IF EXISTS {Queue.ToSql()} SYNC",
                .. _second.Spread is null ? [] : new[] { $"DROP TABLE IF EXISTS {HelperTables.Spread(spec).ToSql()}" },
            ]);
    }

    /// <summary>
    /// Both Kafka tables are those that the run began with and has made: names must not change hands with a third one. And each feeds one table alone, which
    /// feeds no other: what reads the one consumer before the exchange and the other after it would miss messages, and see some twice.
    /// </summary>
    /// <exception cref="StepFailedException">One is another one, or a view has come since the plan.</exception>
    public async Task RequireKnownAsync(CancellationToken ct)
    {
        Guid[] known = [_second.QueueUuid, context.Journal.Find<Guid>(UuidFact)];
        foreach (var queue in new[] { _second.Queue, Queue })
        {
            if (await TableReader.FindUuidAsync(context.Gateway, queue, ct) is not { } present || !known.Contains(present))
            {
                throw new StepFailedException(
                    $"{queue} was dropped or made anew since the second consumer was made like the first, so their names cannot change hands. Nothing was changed. Before the cutover: `rollback`, and start again. After it: keep the new table, and `cleanup`.");
            }
        }

        List<FedView> late = [.. await FedView.FindAsync(context.Gateway, spec.Source, ct), .. (await FedView.FindAsync(context.Gateway, _second.Queue, ct)).Where(v => v.Target != spec.Source && v.Target != _second.Spread)];
        if (late is [var view, ..])
        {
            throw new StepFailedException(
                $"The materialized view {view.Name} came after the plan. At the exchange, where another consumer takes over that stands at other messages, it would miss some and see some twice. Nothing was changed. DETACH it and do the same again.");
        }
    }

    /// <summary>Both pairs of names change hands.</summary>
    /// <exception cref="StepFailedException">They have not, and everything is as it was.</exception>
    public async Task SwapAsync(bool toExchanged, CancellationToken ct)
    {
        await RequireKnownAsync(ct);
        context.Board.Activity = "exchanging the names";
        await context.Journal.FactAsync(Fact, new SwapFact(toExchanged, IsDone: false));
        var closed = context.Clock.GetTimestamp();
        await _gate.CloseAsync(ct);
        await AwaitBlocksAsync(ct);
        var waited = context.Clock.GetElapsedTime(closed);
        var began = context.Clock.GetTimestamp();
        await ExchangeTablesAsync(ct);
        var took = context.Clock.GetElapsedTime(began);
        await AlignQueuesAsync(ct);
        await EndAsync(new SwapFact(toExchanged, IsDone: true)
        {
            Figures = new CutoverFigures(CutoverFigures.Milliseconds(took), 0, 0) { PausedSeconds = Math.Round(waited.TotalSeconds, 1) },
        });
    }

    /// <summary>Brings a swap that was cut off to a consistent end, whichever, and lets both consumers go on. It is not cancelled.</summary>
    /// <exception cref="StepFailedException">A Kafka table is not one of the two, or the server refuses to exchange their names.</exception>
    public async Task SettleAsync()
    {
        if (context.Journal.Find<SwapFact>(Fact) is not { IsDone: false } swap)
        {
            return;
        }

        // An EXCHANGE whose answer was lost may still be under way; whether the tables have changed hands decides.
        await LongStatement.KillOwnAsync(context, CancellationToken.None);
        await AlignQueuesAsync(CancellationToken.None);
        await EndAsync(swap with { IsDone = true });
    }

    // Where the Kafka tables cannot change hands, because a right is missing or a definition is not what it was, the tables go back: either way ends the swap.
    private async Task AlignQueuesAsync(CancellationToken ct)
    {
        if (await AreQueuesExchangedAsync() == await AreTablesExchangedAsync())
        {
            return;
        }

        try
        {
            await context.ChangeAsync("exchange-queues", ct, $"EXCHANGE TABLES {_second.Queue.ToSql()} AND {Queue.ToSql()}");
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException && !e.IsTransient && !ct.IsCancellationRequested)
        {
            if (await AreQueuesExchangedAsync() != await AreTablesExchangedAsync())
            {
                await ExchangeTablesAsync(CancellationToken.None);
                await EndAsync(context.Journal.Get<SwapFact>(Fact) with { IsDone = true });
                throw new StepFailedException($"The names of {_second.Queue} and {Queue} cannot be exchanged: {e.ServerMessage} All names are as they were before. Mend that and do the same again, or `rollback`.", e);
            }
        }
    }

    private async Task EndAsync(SwapFact swap)
    {
        await _gate.OpenAsync();
        await context.Journal.FactAsync(Fact, swap);
    }

    private Task ExchangeTablesAsync(CancellationToken ct) => context.ChangeAsync("exchange", ct, $"EXCHANGE TABLES {spec.Source.ToSql()} AND {spec.Staging.ToSql()}");

    private async Task<bool> AreTablesExchangedAsync() =>
        await TableReader.FindUuidAsync(context.Gateway, spec.Source, CancellationToken.None) == context.Journal.Find<Guid>(CreateStaging.UuidFact);

    private async Task AwaitBlocksAsync(CancellationToken ct)
    {
        if (_second.Spread is { } spread)
        {
            await _gate.AwaitBlocksAsync(ct);

            // A server may send also its own rows through files.
            await context.ChangeAsync("flush", ct, $"SYSTEM FLUSH DISTRIBUTED {spread.ToSql()}", $"SYSTEM FLUSH DISTRIBUTED {HelperTables.Spread(spec).ToSql()}");
        }
    }

    private async Task<bool> AreQueuesExchangedAsync()
    {
        var present = await TableReader.FindUuidAsync(context.Gateway, _second.Queue, CancellationToken.None);
        return present == _second.QueueUuid ? false : present == context.Journal.Find<Guid>(UuidFact) ? true : throw new StepFailedException(
            $"{_second.Queue} is neither the Kafka table that this run began with ({_second.QueueUuid}) nor the one that it made. Nothing is read from Kafka until it is: put the names right, then `resume` or `rollback`.");
    }
}
