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

    private const int MostRounds = 10;
    private static readonly TimeSpan ShortRound = TimeSpan.FromMilliseconds(300);

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        if (!await IsExchangedAsync(context, spec, ct))
        {
            await PrepareAsync(context, spec, ct);
            await context.Journal.FactAsync(
                context.Step.Index, "position/backward", await Positions.LastAsync(context.Gateway, spec.Staging, ct));
        }

        await ExchangeAndSweepAsync(context, spec, spec.ForwardDirection(exchanged: true), toExchanged: true, ct);
        if (spec.FollowsWrites)
        {
            await new SourceGuard(context, spec).RequireNoLateMutationAsync(ct);
        }

        await MergeControl.ReleaseAsync(context, spec, spec.Source, spec.To, ct);
        if (MergeControl.IsNeeded(spec))
        {
            await MergeControl.ReleaseAsync(context, spec, spec.Staging, spec.From, ct);
        }

        // From here on the run is completed, and nothing but the retired table may be left of it.
        await HelperTables.DropAllAsync(context, spec, ct);
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        var exchanged = await IsExchangedAsync(context, spec, ct);
        if (!exchanged && !context.Journal.Has("exchange/backward"))
        {
            return;
        }

        if (exchanged && !spec.CanRollBackAfterCutover)
        {
            throw new StepFailedException(
                $"The names of {spec.Source} and {spec.Staging} have changed hands, and there is no way back without loss: merges of the new table "
                + "fold rows that came since. `resume` finishes the run.");
        }

        if (!spec.FollowsWrites)
        {
            await RequireNothingCameAsync(context, spec, exchanged, ct);
        }

        if (exchanged)
        {
            if (!context.Journal.Has(Swept))
            {
                await ExchangeAndSweepAsync(context, spec, spec.ForwardDirection(exchanged: true), toExchanged: true, ct);
            }

            await BringOldTableUpToDateAsync(context, spec, ct);
        }

        await ExchangeAndSweepAsync(context, spec, spec.BackwardDirection(exchanged: false), toExchanged: false, ct);
        await MergeControl.ReleaseAsync(context, spec, spec.Source, spec.From, ct);
    }

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

    private static async Task PrepareAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        context.Board.Activity = "last rounds before the cutover";
        if (!spec.FollowsWrites)
        {
            await StaticGate.RequireUnchangedAsync(context, spec, spec.Source, ct);
            return;
        }

        await WithWitnessAsync(context, spec, spec.ForwardDirection(exchanged: false), () => GetReadyAsync(context, spec, ct), ct);
    }

    // What was made for the exchange must not stay when the run fails or is stopped before it.
    private static async Task WithWitnessAsync(StepContext context, RebuildSpec spec, Direction direction, Func<Task> work, CancellationToken ct)
    {
        var witness = new ViewWitness(context, spec, direction);
        try
        {
            await witness.StandAsync(ct);
            await work();
        }
        catch
        {
            await Verify.LetGoAsync(context, spec);
            await witness.FallAsync(CancellationToken.None);
            throw;
        }
    }

    private static async Task GetReadyAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        var follower = new Follower(context, spec, spec.ForwardDirection(exchanged: false));
        var isDoubtful = VerifiedBeforeSuspicion(context);
        do
        {
            isDoubtful |= await Verify.StandStillAsync(context, spec, ct);
            if (isDoubtful)
            {
                await Verify.CompareAsync(context, spec, isSuspect: true, ct);
            }

            await QuickRoundsAsync(context, follower, ct);
            isDoubtful = !await HaveSameCountAsync(context, spec, follower, ct) || await new SourceGuard(context, spec).IsSuspectNowAsync(ct);
        }
        while (isDoubtful);

        // What came during these looks must not wait for the sweep, while nobody can see it.
        await QuickRoundsAsync(context, follower, ct);
    }

    private static bool VerifiedBeforeSuspicion(StepContext context)
    {
        var suspect = context.Journal.All<GuardFact>("suspect").Select(f => f.Sequence).LastOrDefault();
        var verified = context.Journal.All<object>("verified/forward").Select(f => f.Sequence).LastOrDefault();
        return suspect > verified;
    }

    // The shorter the last round, the fewer rows are left for the sweep. On a busy server rounds stop getting shorter at some point.
    private static async Task QuickRoundsAsync(StepContext context, Follower follower, CancellationToken ct)
    {
        var took = TimeSpan.MaxValue;
        for (var round = 0; round < MostRounds; round++)
        {
            await follower.PrepareAsync(RoundKind.Last, ct);
            var began = context.Clock.GetTimestamp();
            var rows = await follower.RoundAsync(RoundKind.Last, ct);
            var before = took;
            took = context.Clock.GetElapsedTime(began);
            if (rows == 0 || took < ShortRound || took > before * 0.8)
            {
                return;
            }
        }
    }

    private static async Task<bool> HaveSameCountAsync(StepContext context, RebuildSpec spec, Follower follower, CancellationToken ct)
    {
        var final = spec.ComparesFinal ? "FINAL PREWHERE" : "WHERE";
        var options = new QueryOptions
        {
            Settings = new Dictionary<string, string>(CopyTuning.ReadSettings, StringComparer.Ordinal) { ["apply_prewhere_after_final"] = "0" },
            Timeout = Timeout.InfiniteTimeSpan,
        };
        var old = await context.Gateway.ScalarAsync<long>(
            $"SELECT count() FROM {spec.Source.ToSql()} {final} _block_number <= {follower.Position}", options, ct);
        var present = await context.Gateway.ScalarAsync<long>(
            spec.ComparesFinal
                ? $"SELECT count() FROM {spec.Staging.ToSql()} FINAL"
                : $"SELECT sum(rows) FROM system.parts WHERE {TableReader.Where(spec.Staging, "table")} AND active",
            options,
            ct);
        return old == present;
    }

    private static async Task BringOldTableUpToDateAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        context.Board.Activity = "bringing the old table up to date";
        if (!spec.FollowsWrites)
        {
            return;
        }

        // Parts that are attached to the old table must keep their identity until its sweep is over.
        await MergeControl.HoldAsync(context, spec.Staging, ct);
        if (TableEngine.Parse(spec.To.Engine).Folding != RowFolding.None)
        {
            // Both sides of a round are compared, so the rows that are read must stand still too. This table is dropped in the end.
            await MergeControl.HoldAsync(context, spec.Source, ct);
            await MergeControl.StopAsync(context, spec.Source, ct);
        }

        var direction = spec.BackwardDirection(exchanged: true);
        await WithWitnessAsync(context, spec, direction, () => QuickRoundsAsync(context, new Follower(context, spec, direction), ct), ct);
    }

    private static async Task RequireNothingCameAsync(StepContext context, RebuildSpec spec, bool exchanged, CancellationToken ct)
    {
        if (exchanged)
        {
            await StaticGate.RequireNewTableUnchangedAsync(context, spec, ct);
        }
    }

    private static async Task ExchangeAndSweepAsync(StepContext context, RebuildSpec spec, Direction direction, bool toExchanged, CancellationToken ct)
    {
        var sweeper = new Sweeper(context, spec, direction);

        // An EXCHANGE whose answer was lost may still be under way; a second one would undo it.
        await LongStatement.KillAsync(
            context.Gateway, $"startsWith(query_id, {Sql.Literal($"{context.Services.QueryPrefix}{context.Step.Index}-")})", ct);
        if (await IsExchangedAsync(context, spec, ct) != toExchanged)
        {
            await sweeper.ExchangeAsync(ct);
        }

        if (await IsExchangedAsync(context, spec, ct) != toExchanged)
        {
            throw new NeedsOperatorException($"EXCHANGE TABLES {spec.Source} AND {spec.Staging} was answered but the names did not change hands. Look at both tables.");
        }

        if (spec.FollowsWrites)
        {
            await sweeper.SweepAsync(ct);
        }
        else if (toExchanged)
        {
            await StaticGate.RequireUnchangedAsync(context, spec, spec.Staging, ct);
        }

        await sweeper.FinishAsync();
    }
}
