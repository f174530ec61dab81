using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Runs;
using Godwit.Server.Live;

namespace Godwit.Server.Api;

/// <summary>Looks at runs for those who listen: one reader, however many listeners.</summary>
internal sealed class RunWatch(Migrator migrator, LiveHub<RunNews> hub)
{
    /// <summary>The kind of event that holds a run's status.</summary>
    public const string StatusType = "status";

    /// <summary>The kind of event after which nothing comes any more.</summary>
    public const string EndType = "end";

    /// <summary>The kind of event that says why nothing can be seen at this moment.</summary>
    public const string TroubleType = "trouble";

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    /// <summary>The status of a run, at once and then whenever it has changed, until nothing will change any more.</summary>
    public IAsyncEnumerable<StreamEvent> FollowAsync(string run, string? lastSeen, CancellationToken ct) =>
        EventsAsync($"run {run}", () => LookAsync(run), new Dictionary<string, string?>(StringComparer.Ordinal) { [run] = lastSeen }, ct);

    /// <summary>The status of every run that is not at its end, at once, and then of every run whenever it has changed.</summary>
    public IAsyncEnumerable<StreamEvent> FollowAllAsync(CancellationToken ct) => EventsAsync("runs", LookAsync, null, ct);

    private async IAsyncEnumerable<StreamEvent> EventsAsync(
        string key, Func<Task<RunNews>> look, Dictionary<string, string?>? seen, [EnumeratorCancellation] CancellationToken ct)
    {
        StreamEvent? trouble = null;
        await foreach (var news in hub.FollowAsync(key, () => GuardedAsync(look), Period, ct))
        {
            if (news.Trouble is not null && news.Trouble != trouble)
            {
                yield return news.Trouble;
            }

            trouble = news.Trouble;
            if (trouble is not null)
            {
                continue;
            }

            // Of those that are at their end when somebody begins to listen nothing is told.
            seen ??= news.Events.Where(e => e.Value.Data.Length == 0).ToDictionary(e => e.Key, e => (string?)e.Value.Id, StringComparer.Ordinal);
            foreach (var (run, told) in news.Events.Where(e => seen.GetValueOrDefault(e.Key) != e.Value.Id))
            {
                var whole = told.Data.Length > 0 ? new RunNews(news.Events) : await GuardedAsync(() => LookAsync(run));
                if (whole.Trouble is null)
                {
                    seen[run] = told.Id;
                    yield return whole.Events[run];
                }
            }

            if (news.IsOver)
            {
                yield return new StreamEvent(EndType, EndType, "{}");
                yield break;
            }
        }
    }

    private async Task<RunNews> LookAsync(string run)
    {
        var status = await migrator.StatusAsync(run);
        var isOver = (RunTransitions.IsFinal(status.State) || status.State == RunState.Completed) && status.Asked == RunRequest.None;
        return new RunNews(new Dictionary<string, StreamEvent>(StringComparer.Ordinal) { [run] = Tell(status) }, isOver);
    }

    private async Task<RunNews> LookAsync()
    {
        Dictionary<string, StreamEvent> events = new(StringComparer.Ordinal);
        foreach (var run in await migrator.ListAsync())
        {
            events[run.RunId] = RunTransitions.IsFinal(run.State) || run.State == RunState.Completed
                ? new StreamEvent(StatusType, $"{run.State} {run.CleanedUp} {run.FinishedAt:O} {run.Problem}", "")
                : Tell(await migrator.StatusAsync(run.RunId));
        }

        return new RunNews(events);
    }

    // A store that is away is told of, and looked at again.
    private static async Task<RunNews> GuardedAsync(Func<Task<RunNews>> look)
    {
        try
        {
            return await look();
        }
        catch (Exception e) when (e is StoreException or StoredFormatException)
        {
            var data = JsonSerializer.Serialize(new { detail = e.Message }, ApiJson.Options);
            return new RunNews(new Dictionary<string, StreamEvent>(StringComparer.Ordinal)) { Trouble = new StreamEvent(TroubleType, Id(data), data) };
        }
    }

    private static StreamEvent Tell(RunStatus status)
    {
        var data = JsonSerializer.Serialize(status, ApiJson.Options);
        return new StreamEvent(StatusType, Id(data), data);
    }

    // By what it says: it is the same on every server, and after a restart.
    private static string Id(string data) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(data)))[..16];
}
