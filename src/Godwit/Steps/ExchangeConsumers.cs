using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>
/// The names of two tables and of the Kafka tables that feed them change hands: see <see cref="ConsumerPair"/>. Both stay fed, so undoing it is the same the
/// other way round. What came by neither consumer, such as an INSERT that met the exchange, is copied afterwards.
/// </summary>
internal sealed class ExchangeConsumers : IStep
{
    public const string Name = "exchange-consumers";

    /// <summary>The journal's fact for the last position of the new table before it got the name.</summary>
    public const string PositionFact = "position/backward";

    private const string WayBack = "swapped/backward";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    public string Kind => Name;

    public bool IsGated => true;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var (spec, pair) = await BeginAsync(context);
        if (!await CutOver.IsExchangedAsync(context, spec, ct))
        {
            await ExchangeAsync(context, spec, pair, ct);
        }

        if (!context.Journal.Has(CutOver.Swept))
        {
            await SettleAsync(context, spec, ct);
        }

        // From here on the run is completed, and nothing but the old table and what feeds it may be left of it.
        await HelperTables.DropAsync(context, ct, HelperTables.Overlap(spec));
    }

    public async Task PrepareUndoAsync(StepContext context, CancellationToken ct)
    {
        var (spec, pair) = await BeginAsync(context);
        if (!await CutOver.IsExchangedAsync(context, spec, ct))
        {
            return;
        }

        await pair.RequireKnownAsync(ct);
        await new FeedHold(context, spec).RequireKnownAsync("rollback", ct);
        await new SourceGuard(context, spec).RequireNewTableUnchangedAsync(spec.Source, ct);
        if (!context.Journal.Has(CutOver.Swept))
        {
            await SettleAsync(context, spec, ct);
        }

        // An old consumer that reads no more is found here.
        await new ConsumerOffsets(context, spec.Second!).WaitAsync(ct, spec.Second!.FirstGroup);
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        var (spec, pair) = await BeginAsync(context);
        var isExchanged = await CutOver.IsExchangedAsync(context, spec, ct);
        if (!isExchanged && !context.Journal.Has(WayBack))
        {
            return;
        }

        if (isExchanged)
        {
            // Parts that are attached to the old table must keep their identity.
            await MergeControl.HoldAsync(context, spec.Staging, ct);
            await new ConsumerComparison(context, spec, spec.BackwardDirection(exchanged: true), exchanged: true).BringMissingAsync(ct);
            await WaitForMomentAsync(context, spec.Second!.FirstGroup, spec.Second.SecondGroup, ct);
            await context.Journal.FactAsync(WayBack, true);
            await pair.SwapAsync(toExchanged: false, ct);
        }

        await Positions.WaitForStatementsAsync(context, "query_kind IN ('Insert', 'AsyncInsertFlush', 'Alter')", () => Task.CompletedTask, ct);
        await new ConsumerComparison(context, spec, spec.BackwardDirection(exchanged: false), exchanged: true).BringMissingAsync(ct);
        await MergeControl.ReleaseAsync(context, spec, spec.Source, spec.From, ct);
        await new SourceGuard(context, spec).RequireNewTableUnchangedAsync(spec.Staging, ct);
    }

    public bool Holds(StepContext context) => ConsumerPair.IsCutOff(context.Journal);

    public Task LetGoAsync(StepContext context) => new ConsumerPair(context, context.Shared<RebuildSpec>()).SettleAsync();

    private static async Task<(RebuildSpec Spec, ConsumerPair Pair)> BeginAsync(StepContext context)
    {
        var spec = context.Shared<RebuildSpec>();
        var pair = new ConsumerPair(context, spec);
        await pair.SettleAsync();
        return (spec, pair);
    }

    private static async Task ExchangeAsync(StepContext context, RebuildSpec spec, ConsumerPair pair, CancellationToken ct)
    {
        var (guard, second) = (new SourceGuard(context, spec), spec.Second!);
        await new FeedHold(context, spec).RequireKnownAsync("resume", ct);
        var isSuspect = await guard.IsSuspectAsync(ct);
        do
        {
            await new ConsumerComparison(context, spec, spec.ForwardDirection(exchanged: false), exchanged: false).CompareAsync(isSuspect, ct);
            await WaitForMomentAsync(context, second.SecondGroup, second.FirstGroup, ct);
            await guard.NoteNewTableAsync(ct);
            await context.Journal.FactAsync(PositionFact, await Positions.LastAsync(context.Gateway, spec.Staging, ct));
            isSuspect = await guard.IsSuspectNowAsync(ct);
        }
        while (isSuspect);

        await pair.SwapAsync(toExchanged: true, ct);
    }

    /// <summary>
    /// Waits until the group whose rows readers are about to see has stored what they see now. Each stores a block at a time, so that lasts for a moment only;
    /// where it never comes, rows of the last block come back to readers when the other consumer stores them.
    /// </summary>
    private static async Task WaitForMomentAsync(StepContext context, string ahead, string behind, CancellationToken ct)
    {
        context.Board.Activity = "waiting for a moment in which readers lose nothing";
        var offsets = new ConsumerOffsets(context, context.Shared<RebuildSpec>().Second!);
        var since = context.Clock.GetTimestamp();
        while (!await offsets.IsAheadAsync(ahead, behind, ct) && context.Clock.GetElapsedTime(since) < context.Options.PauseBudget)
        {
            await Task.Delay(Look, context.Clock, ct);
        }
    }

    private static async Task SettleAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        await Positions.WaitForStatementsAsync(context, "query_kind IN ('Insert', 'AsyncInsertFlush', 'Alter')", () => Task.CompletedTask, ct);
        var late = await new ConsumerComparison(context, spec, spec.ForwardDirection(exchanged: true), exchanged: true).BringMissingAsync(ct);
        await MergeControl.ReleaseAsync(context, spec, spec.Source, spec.To, ct);
        if (spec.HoldsMerges)
        {
            await MergeControl.ReleaseAsync(context, spec, spec.Staging, spec.From, ct);
        }

        await new SourceGuard(context, spec).RequireNoLateMutationAsync(ct);
        var figures = context.Journal.Find<SwapFact>(ConsumerPair.Fact)?.Figures ?? new CutoverFigures(null, 0, 0);
        context.Board.Cutover = figures with { SweptRows = late };
        await context.Journal.FactAsync(CutOver.Swept, context.Board.Cutover);
    }
}
