using System.Diagnostics.CodeAnalysis;
using Godwit.Migrations;

namespace Godwit.Runs;

/// <summary>Asks the author of a migration how far it is, while its steps are at work.</summary>
internal static class ProgressWatch
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    /// <summary>Works, and shows the author's figure meanwhile.</summary>
    /// <param name="migration">The migration; null when the run has none.</param>
    /// <param name="book">Keeps, once, why there is no figure.</param>
    /// <param name="board">Shows the figure.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="work">The work.</param>
    /// <param name="ct">Cancels it.</param>
    public static async Task WorkAsync(
        RunningMigration? migration, RunBook book, ProgressBoard board, TimeProvider clock, Func<CancellationToken, Task> work, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var watch = migration is null ? Task.CompletedTask : WatchAsync(migration, book, board, clock, stop.Token);
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
    private static async Task WatchAsync(RunningMigration migration, RunBook book, ProgressBoard board, TimeProvider clock, CancellationToken ct)
    {
        var isTold = false;
        while (!ct.IsCancellationRequested)
        {
            Exception? failure = null;
            try
            {
                board.Percent = await migration.Definition.ProgressAsync(migration.Context, ct) is { } percent && double.IsFinite(percent) ? Math.Clamp(percent, 0, 100) : null;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
            }
            catch (Exception e)
            {
                (board.Percent, failure) = (null, e);
            }

            if (failure is not null && !isTold)
            {
                isTold = true;
                await book.NoteAsync(null, $"How far {migration.Definition.Name} is by its author's reckoning cannot be said: {failure.Message} The run goes on.", null);
            }

            await Task.Delay(Period, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
