using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>The block log is trusted from ClickHouse 25.1 on: mutations had bugs with it before. Without it, what writes must be held.</summary>
internal sealed class ServerVersionCheck : IRebuildCheck
{
    public string Name => "server-version";

    public Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct) => Task.FromResult(Look(draft));

    private CheckResult? Look(RebuildDraft draft)
    {
        var server = $"ClickHouse {draft.Capabilities.Version}";
        return (draft.Way, draft.Capabilities.HasBlockLog, draft.Request.Strategy, draft.CanPause) switch
        {
            (RebuildWay.Alter, _, _, _) or (_, true, "static", _) => null,
            (_, true, _, _) => this.Ok($"{server} has the block log."),
            (_, _, "static", _) or (_, _, "auto" or "pause-feed", true) => this.Ok($"{server} has no block log: partitions that change during the run are copied again whole."),
            _ => this.Refuse(
                $"{server} has no block log that can be trusted (25.1 or newer is needed), so rows that arrive during the copy cannot be told apart, and what writes to "
                + $"{draft.Source.Name} would have to be held while the names change hands. Upgrade, or name what pauses its writers (--pause-hook, --resume-hook), or pause the writers and use --strategy static."),
        };
    }
}
