using Godwit.Metadata;
using Godwit.Notifications;

namespace Godwit.Runs;

/// <summary>The records of the run that this process owns, in the store and in memory alike: where it is, where its steps are, what went wrong.</summary>
internal sealed class RunBook(IRunStore store, LeaseKeeper lease, RunRecord run, StepRecord[] steps, TimeProvider clock, Notifier? notifier)
{
    /// <summary>The run.</summary>
    public RunRecord Run { get; private set; } = run;

    /// <summary>Called when the run is in another state, or said why it stays in its own.</summary>
    public Func<Task>? Moved { get; set; }

    /// <summary>Its steps, in plan order.</summary>
    public IReadOnlyList<StepRecord> Steps => steps;

    /// <summary>Brings the run into a state, or says why it stays in it.</summary>
    /// <exception cref="WrongStateException">The transition is not in the table.</exception>
    public Task MoveAsync(RunState state, string? problem = null) => MoveAsync(state, problem, run => run);

    /// <summary>Brings the run into a state and changes what else is known of it.</summary>
    public Task MoveAsync(RunState state, string? problem, Func<RunRecord, RunRecord> change) =>
        StoreAsync(state, problem, change, NotificationEvents.Of(Run.State, state));

    /// <summary>Replaces the record of a step.</summary>
    public async Task KeepAsync(StepRecord record)
    {
        await store.UpdateStepAsync(lease.Current, record, CancellationToken.None);
        steps[record.Index] = record;
    }

    /// <summary>Keeps what a person may want to know later; the run goes on.</summary>
    public Task NoteAsync(int? step, string message, string? details) =>
        store.AppendErrorAsync(lease.Current, new RunError(Run.RunId, step, message, details, clock.GetUtcNow()), CancellationToken.None);

    /// <summary>Keeps what went wrong, for people, and brings the run into the state that follows from it.</summary>
    /// <param name="state">Failed or NeedsOperator; a run that cannot come into it, such as a completed one, stays as it is.</param>
    /// <param name="message">One or two sentences.</param>
    /// <param name="details">The server's words.</param>
    /// <param name="undoing">The step that was being undone; null when none was.</param>
    public async Task FailAsync(RunState state, string message, string? details, int? undoing)
    {
        var step = undoing ?? Array.Find(steps, s => s.State is StepState.Running or StepState.Failed)?.Index;
        foreach (var running in steps.Where(s => s.State == StepState.Running).ToList())
        {
            await KeepAsync(running with { State = StepState.Failed, FinishedAt = clock.GetUtcNow() });
        }

        await store.AppendErrorAsync(lease.Current, new RunError(Run.RunId, step, message, details, clock.GetUtcNow()), CancellationToken.None);
        await StoreAsync(
            RunTransitions.IsAllowed(Run.State, state) ? state : Run.State,
            message,
            run => run,
            state == RunState.NeedsOperator ? NotificationEvent.NeedsOperator : NotificationEvent.Failed);
    }

    private async Task StoreAsync(RunState state, string? problem, Func<RunRecord, RunRecord> change, NotificationEvent? what)
    {
        var before = Run.State;
        if (before != state)
        {
            RunTransitions.Require(Run.RunId, before, state);
        }

        var moved = change(Run) with { State = state, Problem = problem };
        await store.UpdateRunAsync(lease.Current, moved, CancellationToken.None);
        Run = moved;

        // A run that starts has not begun to do what was asked.
        if (state != RunState.Starting)
        {
            await (Moved?.Invoke() ?? Task.CompletedTask);
        }

        // Only now that it is so for good.
        if (what is { } happened)
        {
            notifier?.Tell(Notification.Of(happened, before, moved, clock.GetUtcNow()));
        }
    }
}
