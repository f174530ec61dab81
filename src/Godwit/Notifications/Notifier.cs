using System.Diagnostics.CodeAnalysis;
using Godwit.Metadata;
using Godwit.Workers;

namespace Godwit.Notifications;

/// <summary>
/// Tells people what happens to the runs that this process owns. Nothing here can delay or harm a run: it sends beside it, and what does
/// not arrive is kept in the audit trail and told to whoever runs the process.
/// </summary>
/// <param name="store">Holds the targets; read for each notification, so that a change counts at once.</param>
/// <param name="delivery">How they are sent.</param>
/// <param name="clock">The clock.</param>
/// <param name="failed">Is told of what did not arrive; null for nobody.</param>
internal sealed class Notifier(ISettingsStore store, Delivery delivery, TimeProvider clock, Action<NotificationFailure>? failed) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _end = new();

    // One after the other for a target, so that they arrive in order; a target that is away holds up no other one.
    private readonly Dictionary<NotifyTarget, Task> _lanes = [];
    private Task _reading = Task.CompletedTask;

    /// <summary>Sends a notification to all targets, soon; returns at once and never fails.</summary>
    public void Tell(Notification notification)
    {
        lock (_lock)
        {
            var before = _reading;
            _reading = Task.Run(() => TellAsync(before, notification));
        }
    }

    /// <summary>Lets what is under way arrive, for as long as the grace lasts; then gives it up, which is told like any other failure.</summary>
    public async ValueTask DisposeAsync()
    {
        _end.CancelAfter(delivery.Grace);
        Task reading;
        lock (_lock)
        {
            reading = _reading;
        }

        await reading;
        await Task.WhenAll(_lanes.Values);
        _end.Dispose();
    }

    private async Task TellAsync(Task before, Notification notification)
    {
        await before;
        await GuardAsync("the targets", notification, async () =>
        {
            foreach (var target in WorkerSettings.Read(await store.GetSettingsAsync(_end.Token)).Notify)
            {
                var previous = _lanes.GetValueOrDefault(target, Task.CompletedTask);
                _lanes[target] = Task.Run(() => SendAsync(previous, target, notification));
            }
        });
    }

    private async Task SendAsync(Task previous, NotifyTarget target, Notification notification)
    {
        await previous;
        await GuardAsync(target.Shown, notification, () => delivery.SendAsync(target, notification, clock, _end.Token));
    }

    [SuppressMessage("Design", "CA1031", Justification = "A notification must not harm the run that it is about: whatever goes wrong with it is told.")]
    private async Task GuardAsync(string target, Notification notification, Func<Task> send)
    {
        try
        {
            await send();
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            await ReportAsync(target, notification, "the process ended before it answered");
        }
        catch (NotSentException e)
        {
            await ReportAsync(target, notification, e.Message);
        }
        catch (Exception e)
        {
            await ReportAsync(target, notification, $"{e.GetType().Name}: {e.Message}");
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "As above; the process is told even when the store cannot be.")]
    private async Task ReportAsync(string target, Notification notification, string reason)
    {
        var sentence = ForeignText.Line($"\"{notification.Message}\" did not reach {target}: {reason.TrimEnd('.')}.", 1000);
        try
        {
            await store.AppendAuditAsync(new AuditEntry(clock.GetUtcNow(), $"godwit@{Environment.MachineName}", "not notified", notification.RunId ?? "", sentence));
        }
        catch (Exception e)
        {
            sentence += $" (The audit trail could not be written either: {e.Message})";
        }

        failed?.Invoke(new NotificationFailure(notification.RunId, target, sentence));
    }
}
