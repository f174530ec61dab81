using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>Where merges must be held, parts pile up: there must be room for them below the limit at which the server refuses inserts.</summary>
internal sealed class HeldMergesCheck : IRebuildCheck
{
    public string Name => "held-merges";

    public async Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        if (!RebuildPlanner.HoldsMerges(draft))
        {
            return null;
        }

        var limit = await draft.Gateway.ScalarAsync<long>("SELECT toInt64(value) FROM system.merge_tree_settings WHERE name = 'parts_to_delay_insert'", ct: ct);
        var most = draft.Source.Partitions.Select(p => p.Parts).DefaultIfEmpty(0).Max();
        return most * 2 > limit
            ? this.Refuse(
                $"A partition of {draft.Source.Name} has {most} parts already, and its merges must stand still during the rebuild "
                + $"(they fold rows); inserts are slowed down from {limit} parts on. Let merges catch up first, or raise parts_to_delay_insert.")
            : this.Warn(
                $"Merges of {draft.Source.Name} stand still during the rebuild because they fold rows ({draft.Source.Engine.Name}). Parts pile up meanwhile: "
                + $"{most} of {limit} in the fullest partition now. Insert in large batches until the cutover.");
    }
}
