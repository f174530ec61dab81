using Godwit.ClickHouse;
using Godwit.Runs;
using Godwit.Steps;

namespace Godwit.Rebuild;

/// <summary>
/// What comes right before the names change hands. The shorter the last round, the fewer rows are left for the sweep; on a busy server
/// rounds stop getting shorter at some point.
/// </summary>
internal static class LastRounds
{
    private const int MostRounds = 10;
    private static readonly TimeSpan ShortRound = TimeSpan.FromMilliseconds(300);

    /// <summary>
    /// Brings the new table so close to the old one that only the exchange is left: everything that may have changed in place since the
    /// gate has been compared again, and no row more than necessary waits for the sweep, while nobody can see it.
    /// </summary>
    public static async Task GetReadyAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        var follower = new Follower(context, spec, spec.ForwardDirection(exchanged: false));
        var isDoubtful = VerifiedBeforeSuspicion(context);
        do
        {
            isDoubtful |= await Verify.StandStillAsync(context, spec, ct);
            if (isDoubtful)
            {
                await Verify.CompareAsync(context, spec, isSuspect: true, ct);
            }

            await RunAsync(context, follower, ct);
            isDoubtful = !await HaveSameCountAsync(context, spec, follower, ct) || await new SourceGuard(context, spec).IsSuspectNowAsync(ct);
        }
        while (isDoubtful);

        // What came during these looks must not wait for the sweep, while nobody can see it.
        await RunAsync(context, follower, ct);
    }

    /// <summary>The last of it, while a feed is held: what had arrived by then, and proof that nothing else happened since <see cref="GetReadyAsync"/>.</summary>
    /// <exception cref="PauseBudgetException">Rows changed in place meanwhile, and to compare them all would take too long.</exception>
    public static async Task RunHeldAsync(StepContext context, RebuildSpec spec, Direction direction, CancellationToken ct)
    {
        if (!spec.PausesFeed)
        {
            return;
        }

        await RunAsync(context, new Follower(context, spec, direction), ct);
        if (direction.Name == "forward" && await new SourceGuard(context, spec).IsSuspectNowAsync(ct))
        {
            throw new PauseBudgetException($"Rows of {spec.Source} changed in place while its feed was held, so that everything must be compared once more.");
        }
    }

    private static bool VerifiedBeforeSuspicion(StepContext context)
    {
        var suspect = context.Journal.All<GuardFact>(SourceGuard.SuspectFact).Select(f => f.Sequence).LastOrDefault();
        var verified = context.Journal.All<object>("verified/forward").Select(f => f.Sequence).LastOrDefault();
        return suspect > verified;
    }

    /// <summary>Rounds that others do not go before, until they stop getting shorter.</summary>
    public static async Task RunAsync(StepContext context, Follower follower, CancellationToken ct)
    {
        var took = TimeSpan.MaxValue;
        for (var round = 0; round < MostRounds; round++)
        {
            await follower.PrepareAsync(RoundKind.Last, ct);
            var began = context.Clock.GetTimestamp();
            var rows = await follower.RoundAsync(RoundKind.Last, ct);
            var before = took;
            took = context.Clock.GetElapsedTime(began);

            // The first may have been begun long ago, by a process that died.
            if (round > 0 && (rows == 0 || took < ShortRound || took > before * 0.8))
            {
                return;
            }
        }
    }

    private static async Task<bool> HaveSameCountAsync(StepContext context, RebuildSpec spec, Follower follower, CancellationToken ct)
    {
        var final = spec.ComparesFinal ? "FINAL PREWHERE" : "WHERE";
        var options = new QueryOptions
        {
            Settings = new Dictionary<string, string>(CopyTuning.ReadSettings, StringComparer.Ordinal) { ["apply_prewhere_after_final"] = "0" },
            Timeout = Timeout.InfiniteTimeSpan,
        };
        var old = await context.Gateway.ScalarAsync<long>(
            $"SELECT count() FROM {spec.Source.ToSql()} {final} _block_number <= {follower.Position}", options, ct);
        var present = await context.Gateway.ScalarAsync<long>(
            spec.ComparesFinal
                ? $"SELECT count() FROM {spec.Staging.ToSql()} FINAL"
                : $"SELECT sum(rows) FROM system.parts WHERE {TableReader.Where(spec.Staging, "table")} AND active",
            options,
            ct);
        return old == present;
    }
}
