using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Ends the rollback window: drops the retired table and gives the settings back. Done when asked for, after all steps.</summary>
internal static class CleanUp
{
    /// <summary>Does it, or finishes doing it.</summary>
    public static async Task RunAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        if (!spec.Exchanges)
        {
            await DropRenamedAsync(context, spec, ct);
            return;
        }

        if (spec.Second is { } second)
        {
            await new ConsumerPair(context, spec).DropAsync(second.QueueUuid, ct);
        }

        await LetGoOfRollbackAsync(context, spec, ct);

        if (await TableReader.FindUuidAsync(context.Gateway, spec.Staging, ct) is { } retired)
        {
            if (retired != spec.SourceUuid)
            {
                throw new NeedsOperatorException(
                    $"{spec.Staging} is not the table that was retired, so it is not dropped. Look what it is, and drop it by hand if it is not wanted.");
            }

            // Without an override of max_table_size_to_drop: that limit is there for tables such as this one.
            await context.ChangeAsync("drop-retired", ct, $"DROP TABLE {spec.Staging.ToSql()} SYNC");
        }

        if (spec.FollowsWrites && await IsNewAsync(context, spec, ct))
        {
            await context.ChangeAsync("restore", HelperTables.Restore(spec.Source, spec.To, [HelperTables.BlockLog, .. HelperTables.PartLimits]), null, ct);
        }
    }

    // A rollback that was cut off before the names changed hands may have left copies, and the merges of the new table held.
    private static async Task LetGoOfRollbackAsync(StepContext context, RebuildSpec spec, CancellationToken ct) =>
        await (spec.FollowsWrites && await IsNewAsync(context, spec, ct) ? CutOver.LetGoOfNewTableAsync(context, spec) : HelperTables.DropAllAsync(context, spec, ct));

    private static async Task<bool> IsNewAsync(StepContext context, RebuildSpec spec, CancellationToken ct) =>
        await TableReader.FindUuidAsync(context.Gateway, spec.Source, ct) == context.Journal.Find<Guid>(CreateStaging.UuidFact);

    private static async Task DropRenamedAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        await HelperTables.DropAllAsync(context, spec, ct);
        if (await TableReader.FindEngineAsync(context.Gateway, spec.Retired, ct) is null)
        {
            return;
        }

        if (!await PausedExchange.HasHappenedAsync(context, "forward", ct))
        {
            throw new NeedsOperatorException($"{spec.Source} does not stand for the new table, so {spec.Retired} is not dropped. Look what both are, and put the names right.");
        }

        await context.ChangeAsync("drop-retired", ct, (await context.DialectAsync(ct)).Drop(spec.Retired));
    }
}
