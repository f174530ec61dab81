using Godwit.Runs;
using Godwit.Steps;

namespace Godwit.Rebuild;

/// <summary>
/// Goes back to the old definition without losing what was written to the new table. When nothing was, the old table gets its name back as it is. Otherwise a table is
/// put together: of the partitions of the old one that nothing was written to, and of those of the new one that something was, copied back.
/// </summary>
internal sealed class WholeWayBack
{
    private const string Direction = "backward";
    private readonly StepContext _context;
    private readonly RebuildSpec _spec;
    private readonly WholeCopier _copier;

    public WholeWayBack(StepContext context, RebuildSpec spec)
    {
        (_context, _spec) = (context, spec);
        _copier = new WholeCopier(context, spec, spec.BackwardDirection(exchanged: true), spec.KeepsPartitions ? IsChanged : null);
    }

    // With a single name, exchanged, the table that the new one was exchanged with; otherwise each has its own.
    private TakeOverFact Forward => _context.Journal.Get<TakeOverFact>(PausedExchange.Fact("forward"));

    private bool Folds => TableEngine.Parse(_spec.To.Engine).Folding != RowFolding.None;

    /// <summary>Refuses what would lose something, and copies what takes long while writers go on.</summary>
    /// <exception cref="StepFailedException">There is no way back without loss.</exception>
    public async Task PrepareAsync(CancellationToken ct)
    {
        await SourceGuard.RequireSameDefinitionAsync(_context, _spec.Source, _spec.To, ct);
        if (!Forward.New.IsChanged(await TableParts.ReadAsync(_context, _spec.Source, ct), Folds))
        {
            return;
        }

        if (!_spec.KeepsValues)
        {
            throw new StepFailedException(
                $"{_spec.Source} has been written to since the cutover, and not every value of the old table can be had from the new one: a column was dropped or has another type. "
                + $"The old rows are in {_spec.Retired}; copy the newer ones there by hand if you must go back.");
        }

        await _copier.CatchUpAsync(ct);
    }

    /// <summary>Goes back, or finishes going back.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        await new PausedExchange(_context, _spec, _copier, Direction).RunAsync(_spec.To, AssembleAsync, ct);
        await WholeAssembly.ReleaseAsync(_context, _spec.Source, _spec.From, ct);
    }

    private bool IsChanged(PartitionParts present) => Forward.New.IsChanged(present, Folds);

    private async Task<TakeOver> AssembleAsync(IReadOnlyDictionary<string, PartitionParts> present, CancellationToken ct)
    {
        if (!Forward.New.IsChanged(present, Folds))
        {
            return Forward.Change.Back();
        }

        if (!_spec.KeepsValues)
        {
            throw new StepFailedException($"{_spec.Source} was written to after the rollback began, and not every value of the old table can be had from the new one. Hold what writes, then `resume`.");
        }

        var table = HelperTables.WayBack(_spec);
        var kept = _spec.KeepsPartitions ? present.Values.Where(p => !IsChanged(p)).Select(p => new WholePiece(_spec.Retired, p.Id)) : [];
        await WholeAssembly.MakeAsync(_context, table, _spec.From, [.. kept, .. _copier.Tables.Select(t => new WholePiece(t))], ct);
        return new TakeOver(_spec.Source, table, _spec.Exchanges ? table : _spec.Staging)
        {
            Before = Forward.Change.After,
            After = await PausedCutOver.UuidAsync(_context, _spec, table, ct),
        };
    }
}
