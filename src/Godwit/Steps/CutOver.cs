using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>
/// The names change hands: last rounds, EXCHANGE TABLES, the barrier for inserts that still hold the old table, the sweep of what they
/// wrote there. Undoing it is the same the other way round, so that rows which arrived since are kept.
/// </summary>
internal sealed class CutOver : IStep
{
    public const string Name = "cut-over";

    /// <summary>The journal's fact that everything has been swept: the step is done.</summary>
    public const string Swept = "swept/forward";

    public string Kind => Name;

    public bool IsGated => true;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        var sweeper = new Sweeper(context, spec, spec.ForwardDirection(exchanged: true));
        await BeginAsync(context, spec, ct);
        if (!await IsExchangedAsync(context, spec, ct))
        {
            var witness = new ViewWitness(context, spec, spec.ForwardDirection(exchanged: false));
            await WithLiveTableAsync(
                context,
                spec,
                () => PatientlyAsync(
                    context,
                    spec,
                    toExchanged: true,
                    () => PrepareAsync(context, spec, witness, ct),
                    async token =>
                    {
                        await LastRounds.RunHeldAsync(context, spec, spec.ForwardDirection(exchanged: false), token);
                        await context.Journal.FactAsync("position/backward", await Positions.LastAsync(context.Gateway, spec.Staging, token));
                        await ExchangeAsync(context, spec, sweeper, toExchanged: true, token);
                    },
                    () => LetGoAsync(context, spec, witness),
                    ct),
                () => LetGoAsync(context, spec, witness));
        }

        await SettleForwardAsync(context, spec, sweeper, ct);

        // From here on the run is completed, and nothing but the retired table may be left of it.
        await HelperTables.DropAllAsync(context, spec, ct);
    }

    public async Task PrepareUndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        await BeginAsync(context, spec, ct);
        if (!await IsExchangedAsync(context, spec, ct))
        {
            return;
        }

        if (!spec.CanRollBackAfterCompletion)
        {
            throw new StepFailedException(
                $"The names of {spec.Source} and {spec.Staging} have changed hands, and there is no way back without loss: merges of the new table "
                + "fold rows that came since. `resume` finishes the run.");
        }

        await new FeedHold(context, spec).RequireKnownAsync("rollback", ct);
        if (!spec.FollowsWrites)
        {
            await StaticGate.RequireNewTableUnchangedAsync(context, spec, ct);
            return;
        }

        await new SourceGuard(context, spec).RequireNewTableUnchangedAsync(spec.Source, ct);
        if (!context.Journal.Has(Swept))
        {
            await SettleForwardAsync(context, spec, new Sweeper(context, spec, spec.ForwardDirection(exchanged: true)), ct);
        }

        // What cannot go back, such as a value that the old column's type does not take, is found here.
        var direction = spec.BackwardDirection(exchanged: true);
        await WithLiveTableAsync(
            context,
            spec,
            async () =>
            {
                await HoldBothAsync(context, spec, ct);
                await LastRounds.RunAsync(context, new Follower(context, spec, direction), ct);
            },
            () => LetGoOfNewTableAsync(context, spec));
        await LetGoOfNewTableAsync(context, spec);
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        await BeginAsync(context, spec, ct);
        var exchanged = await IsExchangedAsync(context, spec, ct);
        if (!exchanged && !context.Journal.Has("exchange/backward"))
        {
            return;
        }

        var sweeper = new Sweeper(context, spec, spec.BackwardDirection(exchanged: false));
        if (exchanged)
        {
            var witness = new ViewWitness(context, spec, spec.BackwardDirection(exchanged: true));
            await WithLiveTableAsync(
                context,
                spec,
                () => PatientlyAsync(
                    context,
                    spec,
                    toExchanged: false,
                    () => BringOldTableUpToDateAsync(context, spec, witness, ct),
                    async token =>
                    {
                        await LastRounds.RunHeldAsync(context, spec, spec.BackwardDirection(exchanged: true), token);
                        await ExchangeAsync(context, spec, sweeper, toExchanged: false, token);
                    },
                    () => LetGoOfNewTableAsync(context, spec),
                    ct),
                () => LetGoOfNewTableAsync(context, spec));
        }

        await SettleAsync(context, spec, sweeper, ct);
        await MergeControl.ReleaseAsync(context, spec, spec.Source, spec.From, ct);
        if (spec.FollowsWrites)
        {
            await new SourceGuard(context, spec).RequireNewTableUnchangedAsync(spec.Staging, ct);
        }

        await new ViewWitness(context, spec, sweeper.Direction).FeedAsync(ct);
    }

    public bool Holds(StepContext context) => FeedHold.IsHeld(context.Journal);

    public Task LetGoAsync(StepContext context) => new FeedHold(context, context.Shared<RebuildSpec>()).ReleaseAsync();

    /// <summary>Whether the source's name stands for the new table, decided by UUID.</summary>
    public static async Task<bool> IsExchangedAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        var live = await TableReader.FindUuidAsync(context.Gateway, spec.Source, ct);
        var other = await TableReader.FindUuidAsync(context.Gateway, spec.Staging, ct);
        var staging = context.Journal.Find<Guid>(CreateStaging.UuidFact);
        return (live == spec.SourceUuid, live == staging && other == spec.SourceUuid) switch
        {
            (true, _) => false,
            (_, true) => true,
            _ => throw new NeedsOperatorException(
                $"{spec.Source} is neither the table that this run began with ({spec.SourceUuid}) nor the one that it made ({staging}). "
                + "Somebody renamed or replaced it: put the names right, then `resume` or `rollback`."),
        };
    }

    private static async Task PrepareAsync(StepContext context, RebuildSpec spec, ViewWitness witness, CancellationToken ct)
    {
        context.Board.Activity = "last rounds before the cutover";
        if (!spec.FollowsWrites)
        {
            await StaticGate.RequireUnchangedAsync(context, spec, spec.Source, ct);
            return;
        }

        await new SourceGuard(context, spec).NoteNewTableAsync(ct);
        await witness.StandAsync(ct);
        await LastRounds.GetReadyAsync(context, spec, ct);
    }

    // An EXCHANGE whose answer was lost may still be under way: until it has ended, the names say nothing, and a second one would undo it.
    // And whoever was at it before may have died while the feed was held.
    private static async Task BeginAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        await LongStatement.KillOwnAsync(context, ct);
        await new FeedHold(context, spec).ReleaseAsync();
    }

    /// <summary>Gets ready while the feed flows, then lets the names change hands while it is held: again and again until that has gone fast enough.</summary>
    private static async Task PatientlyAsync(
        StepContext context, RebuildSpec spec, bool toExchanged, Func<Task> prepare, Func<CancellationToken, Task> exchange, Func<Task> letGo, CancellationToken ct)
    {
        var hold = new FeedHold(context, spec);
        while (true)
        {
            // Whoever wants to go back is not kept waiting, and was told before.
            if (toExchanged)
            {
                await hold.RequireKnownAsync("resume", ct);
                await hold.AwaitCalmAsync(ct);
            }

            await prepare();
            try
            {
                await hold.WhileHeldAsync(exchange, ct);
                return;
            }
            catch (PauseBudgetException e)
            {
                await LongStatement.KillOwnAsync(context, ct);
                if (await IsExchangedAsync(context, spec, ct) == toExchanged)
                {
                    return;
                }

                // What stands still for the exchange goes on while the feed does.
                await letGo();
                await hold.RestAsync(e, ct);
            }
        }
    }

    // What holds the live table for the exchange must not stay when the run fails or is stopped before it.
    private static async Task WithLiveTableAsync(StepContext context, RebuildSpec spec, Func<Task> work, Func<Task> letGo)
    {
        var was = await IsExchangedAsync(context, spec, CancellationToken.None);
        try
        {
            await work();
        }
        catch
        {
            try
            {
                if (await IsExchangedAsync(context, spec, CancellationToken.None) == was)
                {
                    await letGo();
                }
            }
            catch (ClickHouseException e)
            {
                // What went wrong first decides what happens next: the next attempt, or the rollback, lets go.
                await context.Journal.FactAsync("still-held", e.Message);
            }

            throw;
        }
    }

    private static async Task LetGoAsync(StepContext context, RebuildSpec spec, ViewWitness witness)
    {
        await Verify.LetGoAsync(context, spec);
        await witness.FallAsync(CancellationToken.None);
    }

    /// <summary>Lets merges of the new table go on that were held for a rollback, and drops the copies that it had made.</summary>
    public static async Task LetGoOfNewTableAsync(StepContext context, RebuildSpec spec)
    {
        if (MustHoldNewTable(spec))
        {
            await MergeControl.StartAsync(context, spec.Source, CancellationToken.None);
            await MergeControl.ReleaseAsync(context, spec, spec.Source, spec.To, CancellationToken.None);
        }

        await HelperTables.DropAllAsync(context, spec, CancellationToken.None);
    }

    private static async Task BringOldTableUpToDateAsync(StepContext context, RebuildSpec spec, ViewWitness witness, CancellationToken ct)
    {
        context.Board.Activity = "bringing the old table up to date";
        if (!spec.FollowsWrites)
        {
            await StaticGate.RequireNewTableUnchangedAsync(context, spec, ct);
            return;
        }

        await witness.StandAsync(ct);
        await HoldBothAsync(context, spec, ct);
        await LastRounds.RunAsync(context, new Follower(context, spec, spec.BackwardDirection(exchanged: true)), ct);
    }

    // Both sides of a round are compared, so the rows that are read must stand still.
    private static bool MustHoldNewTable(RebuildSpec spec) => TableEngine.Parse(spec.To.Engine).Folding != RowFolding.None;

    private static async Task HoldBothAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        // Parts that are attached to the old table must keep their identity until its sweep is over.
        await MergeControl.HoldAsync(context, spec.Staging, ct);
        if (MustHoldNewTable(spec))
        {
            await MergeControl.HoldAsync(context, spec.Source, ct);
            await MergeControl.StopAsync(context, spec.Source, ct);
        }
    }

    private static async Task ExchangeAsync(StepContext context, RebuildSpec spec, Sweeper sweeper, bool toExchanged, CancellationToken ct)
    {
        await sweeper.ExchangeAsync(ct);
        if (await IsExchangedAsync(context, spec, ct) != toExchanged)
        {
            throw new NeedsOperatorException($"EXCHANGE TABLES {spec.Source} AND {spec.Staging} was answered but the names did not change hands. Look at both tables.");
        }
    }

    /// <summary>What is left to do once the new table has the name; each of it may have been done before.</summary>
    private static async Task SettleForwardAsync(StepContext context, RebuildSpec spec, Sweeper sweeper, CancellationToken ct)
    {
        await SettleAsync(context, spec, sweeper, ct);
        await MergeControl.ReleaseAsync(context, spec, spec.Source, spec.To, ct);
        if (MergeControl.IsNeeded(spec))
        {
            await MergeControl.ReleaseAsync(context, spec, spec.Staging, spec.From, ct);
        }

        if (spec.FollowsWrites)
        {
            await new SourceGuard(context, spec).RequireNoLateMutationAsync(ct);
        }

        await new ViewWitness(context, spec, sweeper.Direction).FeedAsync(ct);
    }

    private static async Task SettleAsync(StepContext context, RebuildSpec spec, Sweeper sweeper, CancellationToken ct)
    {
        if (spec.FollowsWrites)
        {
            await sweeper.SweepAsync(ct);
        }
        else
        {
            // A statement that began before the names changed hands writes to the table that it found then.
            await Positions.WaitForStatementsAsync(context, (await context.DialectAsync(ct)).Writes, () => Task.CompletedTask, ct);
            await (sweeper.Direction.Name == "forward" ? StaticGate.RequireUnchangedAsync(context, spec, spec.Staging, ct) : StaticGate.RequireNothingLateAsync(context, spec, ct));
        }

        await sweeper.FinishAsync();
    }
}
