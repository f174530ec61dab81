using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>The copy needs about as much disk as the table, and some to spare.</summary>
internal sealed class FreeDiskCheck : IRebuildCheck
{
    private const double Headroom = 1.1;

    public string Name => "free-disk";

    public async Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        if (draft.Way != RebuildWay.Copy && !draft.IsWhole)
        {
            return this.Ok("No rows are copied, so no disk is needed.");
        }

        var needed = (long)(draft.Source.Bytes * Headroom) + draft.Options.MinFreeDisk;
        if (!draft.Capabilities.HasDisks || !draft.Capabilities.HasStoragePolicies)
        {
            return this.Warn($"{draft.Gateway.Name} does not tell how much disk is free, and the copy of {draft.Source.Name} needs {Size(needed)}. Look there yourself.");
        }

        var free = await draft.Gateway.ScalarAsync<long>(
            $"""
             SELECT toInt64(sum(least(unreserved_space, 9000000000000000000))) FROM system.disks WHERE name IN (
                 SELECT arrayJoin(disks) FROM system.storage_policies WHERE policy_name = {Sql.Literal(draft.Source.StoragePolicy)})
             """,
            ct: ct);
        return free >= needed
            ? this.Ok($"{Size(free)} free for a copy of {Size(draft.Source.Bytes)}.")
            : this.Refuse(
                $"The disks of policy {draft.Source.StoragePolicy} have {Size(free)} free, and the copy of {draft.Source.Name} needs {Size(needed)} "
                + "(the table, 10 %, and what --min-free-disk keeps free). Free space or add a disk.");
    }

    private static string Size(long bytes) => bytes >= 1L << 30 ? $"{bytes / (double)(1L << 30):0.0} GiB" : $"{bytes / (double)(1L << 20):0.0} MiB";
}
