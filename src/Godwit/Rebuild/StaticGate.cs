using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>What a table that nobody writes to looks like: any write, merge excepted, changes one of these.</summary>
/// <param name="LastBlock">Its highest position.</param>
/// <param name="LastMutation">The version of its newest mutation.</param>
internal sealed record StillFact(long LastBlock, long LastMutation);

/// <summary>Proves for the strategy <c>static</c> that nothing wrote: the same positions before and after.</summary>
internal static class StaticGate
{
    private const string Fact = "still";
    private const string NewFact = "still-new";

    /// <summary>Notes how the source is before the first row is copied.</summary>
    public static async Task BeginAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        if (!context.Journal.Has(Fact))
        {
            await context.Journal.FactAsync(Fact, await new SourceGuard(context, spec).WhenStillAsync(() => LookAsync(context, spec.Source, ct), ct));
        }
    }

    /// <summary>Refuses when something has written to the old table since.</summary>
    public static async Task RequireUnchangedAsync(StepContext context, RebuildSpec spec, QualifiedName table, CancellationToken ct)
    {
        await SourceGuard.RequireSameDefinitionAsync(context, spec, table, ct);
        var before = context.Journal.Get<StillFact>(Fact);
        var now = await LookAsync(context, table, ct);
        if (now != before)
        {
            throw new StepFailedException(
                $"Something wrote to {spec.Source} during the run (position {before.LastBlock} -> {now.LastBlock}, mutation {before.LastMutation} -> {now.LastMutation}), "
                + "which the strategy static does not allow. `rollback`, then use --strategy block-log, or pause all writers.");
        }

        if (!context.Journal.Has(NewFact))
        {
            await context.Journal.FactAsync(NewFact, await LookAsync(context, table == spec.Source ? spec.Staging : spec.Source, ct));
        }
    }

    /// <summary>Refuses a rollback that would lose rows written to the new table since the cutover.</summary>
    public static async Task RequireNewTableUnchangedAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        if (await IsNewTableChangedAsync(context, spec.Source, ct))
        {
            throw new StepFailedException(
                $"{spec.Source} has been written to since the cutover, and the strategy static keeps no log by which the old table could catch up. "
                + $"The old rows are in {spec.Staging}; copy the newer ones there by hand if you must go back.");
        }
    }

    /// <summary>Called when the old table has its name back: an insert that had begun before went to the new one, which is about to be dropped. Said once.</summary>
    /// <exception cref="NeedsOperatorException">There was one.</exception>
    public static async Task RequireNothingLateAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        const string Told = "told/still-new";
        if (!context.Journal.Has(Told) && await IsNewTableChangedAsync(context, spec.Staging, ct))
        {
            throw new NeedsOperatorException(
                $"Something wrote to the new table while {spec.Source} got its old table back, and the strategy static cannot bring it over: it is in {spec.Staging} alone, "
                + "which is dropped by the next `rollback`. Copy what is missing from there, then say `rollback` again.")
            {
                OnTold = () => context.Journal.FactAsync(Told, true),
            };
        }
    }

    private static async Task<bool> IsNewTableChangedAsync(StepContext context, QualifiedName table, CancellationToken ct)
    {
        var now = await LookAsync(context, table, ct);
        return context.Journal.Find<StillFact>(NewFact) is { } before && (now.LastBlock > before.LastBlock || now.LastMutation > before.LastMutation);
    }

    private static async Task<StillFact> LookAsync(StepContext context, QualifiedName table, CancellationToken ct)
    {
        var row = (await context.Gateway.QueryAsync(
            $"""
             SELECT max(max_block_number) AS block,
                 (SELECT max(toInt64OrZero(extract(mutation_id, '\\d+'))) FROM system.mutations WHERE {TableReader.Where(table, "table")}) AS mutation
             FROM system.parts WHERE {TableReader.Where(table, "table")} AND active
             """,
            ct: ct))[0];
        return new StillFact(row.Int64("block"), row.Int64("mutation"));
    }
}
