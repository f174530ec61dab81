using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>
/// The names change hands while nothing writes, where new rows cannot be told from old ones: see <see cref="PausedExchange"/>. Undoing it is the same the other way
/// round, so that rows which arrived since are kept: see <see cref="WholeWayBack"/>.
/// </summary>
internal sealed class PausedCutOver : IStep
{
    public const string Name = "paused-cut-over";

    public string Kind => Name;

    public bool IsGated => true;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        await BeginAsync(context, spec, ct);
        var copier = new WholeCopier(context, spec, spec.ForwardDirection(exchanged: false));
        await new PausedExchange(context, spec, copier, "forward").RunAsync(
            spec.From,
            async (_, token) =>
            {
                await WholeAssembly.MakeAsync(context, spec.Staging, spec.To, copier.Tables.Select(t => new WholePiece(t)), token);
                return new TakeOver(spec.Source, spec.Staging, spec.Retired) { Before = Known(spec), After = await UuidAsync(context, spec, spec.Staging, token) };
            },
            ct);
        await WholeAssembly.ReleaseAsync(context, spec.Source, spec.To, ct);
        context.Board.Cutover = context.Journal.Get<CutoverFigures>(CutOver.Swept) with { PausedSeconds = FeedHold.Total(context.Journal)?.TotalSeconds };
        await context.Journal.FactAsync(CutOver.Swept, context.Board.Cutover);

        // From here on the run is completed, and nothing but the retired table may be left of it.
        await HelperTables.DropAllAsync(context, spec, ct);
    }

    public async Task PrepareUndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        await BeginAsync(context, spec, ct);
        if (!await PausedExchange.HasHappenedAsync(context, "forward", ct))
        {
            return;
        }

        if (!context.Journal.Has(CutOver.Swept))
        {
            await ForwardAsync(context, ct);
        }

        await new FeedHold(context, spec).RequireKnownAsync("rollback", ct);
        await new WholeWayBack(context, spec).PrepareAsync(ct);
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        await BeginAsync(context, spec, ct);
        if (context.Journal.Has(CutOver.Swept))
        {
            await new WholeWayBack(context, spec).RunAsync(ct);
        }
    }

    public bool Holds(StepContext context) => FeedHold.IsHeld(context.Journal);

    public async Task LetGoAsync(StepContext context)
    {
        var spec = context.Shared<RebuildSpec>();
        await new FeedHold(context, spec).ReleaseAsync();
        await PausedExchange.StartMergesAsync(context, spec);
    }

    /// <summary>The UUID of a table that was made just now, where the names are exchanged; null where tables are told apart by their names.</summary>
    public static async Task<Guid?> UuidAsync(StepContext context, RebuildSpec spec, QualifiedName table, CancellationToken ct) =>
        spec.Exchanges ? await TableReader.FindUuidAsync(context.Gateway, table, ct) : null;

    private static Guid? Known(RebuildSpec spec) => spec.Exchanges ? spec.SourceUuid : null;

    // A statement whose answer was lost may still be under way. And whoever was at it before may have died while the feed was held.
    private static async Task BeginAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        await LongStatement.KillOwnAsync(context, ct);
        await new FeedHold(context, spec).ReleaseAsync();
        await PausedExchange.StartMergesAsync(context, spec);
    }
}
