using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>Writers that hold a table without being a statement: the barrier after the exchange cannot see them, so they are held or refused.</summary>
internal sealed class FeedCheck : IRebuildCheck
{
    public string Name => "feed";

    public Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct) => Task.FromResult(Look(draft));

    private CheckResult? Look(RebuildDraft draft)
    {
        var (name, feed, strategy) = (draft.Source.Name, draft.Feed, draft.Request.Strategy);
        if (strategy == "second-consumer")
        {
            return null;
        }

        if (draft.Way == RebuildWay.Alter || feed.Sources.Count == 0)
        {
            return strategy == "pause-feed" && draft.Way != RebuildWay.Alter && draft.Request.PauseHook is null
                ? this.Refuse($"There is no feed of {name} to hold: no Kafka table writes to it on this server. Use --strategy block-log, or name what pauses its writers (--pause-hook, --resume-hook).")
                : this.Ok("Nothing writes to the table in the background (Buffer, Kafka and the like).");
        }

        var (held, others) = (feed.Held, feed.Sources.Where(s => !s.CanBeHeld).ToList());
        if (strategy == "static")
        {
            return this.Warn($"{feed.Sources[0]} writes to {name} in the background: it must be held during the run (DETACH it), or the run will refuse to exchange the names.");
        }

        if (others.Count > 0 && draft.Request.PauseHook is not null)
        {
            return this.Warn($"{others[0]} writes to {name} in the background, where the end of a write cannot be awaited: the pause hook must hold that, too, and return when nothing of it is on its way any more.");
        }

        if (others.Count > 0)
        {
            return this.Refuse($"{others[0]} writes to {name} in the background, where the end of a write cannot be awaited. DETACH it and use --strategy static, or name what holds it (--pause-hook, --resume-hook).");
        }

        if (!draft.Capabilities.HasDetachPermanently && held.FirstOrDefault(s => s.IsShared) is { } shared)
        {
            return this.Refuse(
                $"{shared} feeds other views too, and ClickHouse {draft.Capabilities.Version} can hold views only: what the others read meanwhile would not come to {name}. "
                + "Give each view a Kafka table and a consumer group of its own, or DETACH all of them and use --strategy static.");
        }

        return strategy == "block-log"
            ? this.Refuse($"{held[0]} writes to {name} in the background, where the end of a write cannot be awaited. Use --strategy pause-feed, which holds it while the names change hands.")
            : this.Ok($"{string.Join(", ", held)}: held while the names change hands; Kafka keeps what arrives meanwhile.");
    }
}
