using System.Diagnostics.CodeAnalysis;
using Godwit.Migrations;

namespace Godwit.Runs;

/// <summary>Asks the author of a migration how far it is, while its steps are at work.</summary>
internal static class ProgressWatch
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    /// <summary>Works, and shows the author's figure meanwhile.</summary>
    public static async Task WorkAsync(RunningMigration? migration, ProgressBoard board, TimeProvider clock, Func<CancellationToken, Task> work, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var watch = migration is null ? Task.CompletedTask : WatchAsync(migration, board, clock, stop.Token);
        try
        {
            await work(ct);
        }
        finally
        {
            await stop.CancelAsync();
            await watch;
            board.Percent = null;
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "The figure is for people to look at: whatever the author's code throws, the run goes on, and the figures of its steps are shown instead.")]
    private static async Task WatchAsync(RunningMigration migration, ProgressBoard board, TimeProvider clock, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                board.Percent = await migration.Definition.ProgressAsync(migration.Context, ct) is { } percent && double.IsFinite(percent) ? Math.Clamp(percent, 0, 100) : null;
                await Task.Delay(Period, clock, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
            }
            catch (Exception)
            {
                board.Percent = null;
                await Task.Delay(Period, clock, CancellationToken.None).WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
