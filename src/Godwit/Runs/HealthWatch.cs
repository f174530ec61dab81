using Godwit.Checks;
using Godwit.Migrations;

namespace Godwit.Runs;

/// <summary>Asks the healthchecks of a migration again and again while its steps are at work.</summary>
internal static class HealthWatch
{
    /// <summary>How long a healthcheck may be unreadable before it counts as refused: a server that restarts is waited for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Works for as long as the healthchecks hold.</summary>
    /// <exception cref="StepFailedException">One of them does not hold any more; the work was cancelled.</exception>
    public static async Task WorkAsync(RunningMigration? migration, TimeProvider clock, Func<CancellationToken, Task> work, CancellationToken ct)
    {
        if (migration?.Definition.Checks.Any(c => c.Scope == CheckScope.Healthcheck) != true)
        {
            await work(ct);
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var watch = WatchAsync(migration, clock, stop);
        try
        {
            await work(stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new StepFailedException($"A healthcheck stopped the run. {await watch} Mend that, then `resume`.");
        }
        finally
        {
            await stop.CancelAsync();
            await watch;
        }
    }

    /// <summary>Returns what was refused, having cancelled the work; null when the work ended first.</summary>
    private static async Task<string?> WatchAsync(RunningMigration migration, TimeProvider clock, CancellationTokenSource stop)
    {
        long? unreadableSince = null;
        try
        {
            while (true)
            {
                await Task.Delay(migration.Definition.HealthcheckInterval, clock, stop.Token);
                var results = await CheckRunner.AskAsync(migration, stop.Token, CheckScope.Healthcheck);
                unreadableSince = results.Any(r => r.Verdict == CheckVerdict.Unreadable) ? unreadableSince ?? clock.GetTimestamp() : null;
                var isFinal = results.Any(r => r.Verdict == CheckVerdict.Refused) || (unreadableSince is { } since && clock.GetElapsedTime(since) >= Patience);
                if (isFinal)
                {
                    await stop.CancelAsync();
                    return CheckRunner.Refusal(results);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
    }
}
