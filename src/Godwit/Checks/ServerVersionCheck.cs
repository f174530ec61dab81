using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>The block log is trusted from ClickHouse 25.1 on: mutations had bugs with it before.</summary>
internal sealed class ServerVersionCheck : IRebuildCheck
{
    private static readonly ServerVersion Oldest = ServerVersion.Parse("25.1.0.0");

    public string Name => "server-version";

    public Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        if (draft.Way == RebuildWay.Alter || draft.Request.Strategy == "static")
        {
            return Task.FromResult<CheckResult?>(null);
        }

        var usable = draft.Capabilities.HasBlockNumberColumn && draft.Capabilities.Version >= Oldest;
        return Task.FromResult<CheckResult?>(usable
            ? this.Ok($"ClickHouse {draft.Capabilities.Version} has the block log.")
            : this.Refuse(
                $"ClickHouse {draft.Capabilities.Version} has no block log that can be trusted (25.1 or newer is needed), so rows that arrive during the copy "
                + "cannot be told apart. Upgrade, or pause the writers and use --strategy static."));
    }
}
