using Godwit.Metadata;
using Godwit.Runs;

namespace Godwit.Server.Pages;

/// <summary>A run in sentences, for somebody who has just been woken up.</summary>
internal static class RunStory
{
    /// <summary>What happens now, or why nothing does.</summary>
    public static string Now(RunModel model)
    {
        var status = model.Status;
        if (status is { Brake: { Length: > 0 } brake, Owner: not null })
        {
            return $"Held: {brake}.";
        }

        return status.State switch
        {
            RunState.NotStarted when status is { IsQueued: true, StartHold: { } hold } => $"Waits: {hold}.",
            RunState.NotStarted when status.IsQueued => "Waits for a worker.",
            RunState.NotStarted => "Planned, and not started.",
            RunState.FailedAtStartup => "Was refused before its first step. Nothing was changed.",
            RunState.Paused => "Paused: nothing of it is at work on any server.",
            RunState.AwaitingCutover => "Everything is ready. New rows are followed until somebody lets the names change hands.",
            RunState.Failed => "Failed. Nothing of it is at work; what was done so far is kept.",
            RunState.NeedsOperator => "Stopped, because the servers cannot tell what became of a statement. A person must look.",
            RunState.Completed when status.Problem is not null => "Completed, but the clean-up failed.",
            RunState.Completed when status.CleanedUp => "Completed, and cleaned up.",
            RunState.Completed => "Completed. The old table is kept and gets every new row, for a rollback.",
            RunState.RolledBack => "Rolled back: everything is as it was before.",
            _ when status is { Owner: null, FeedHeldSince: { } since } => $"Nobody works on it: the process that did is gone, and what feeds {status.Table} has been held since {Plain.Moment(since)}.",
            _ when status.Owner is null => "Nobody works on it: the process that did is gone.",
            _ => status.Activity is { Length: > 0 } activity ? $"{char.ToUpperInvariant(activity[0])}{activity[1..]}." : $"{status.State}.",
        };
    }

    /// <summary>What comes next by itself, or what somebody can do.</summary>
    public static string Next(RunModel model)
    {
        var status = model.Status;
        if (status is { IsQueued: true, StartHold: not null })
        {
            return "A worker starts it then. Roll it back to throw the plan away.";
        }

        if (status.Asked != RunRequest.None)
        {
            return status.Owner is null
                ? $"{Asked(status.Asked)} was asked for; a worker takes it up within seconds. If none does, none is running: start one with `godwit serve` or `godwit worker`."
                : $"{Asked(status.Asked)} was asked for and is being done.";
        }

        return status.State switch
        {
            RunState.NotStarted => "Start it, or roll it back to throw the plan away.",
            RunState.FailedAtStartup => "Put right what is said here, then plan it again.",
            RunState.Paused => "Resume goes on; a partition that was not finished begins anew. Rollback undoes everything.",
            RunState.AwaitingCutover => "Cut over lets the names change hands within about a second. Rollback undoes everything.",
            RunState.Failed => "When the cause is mended, resume goes on where it stopped. Rollback undoes everything.",
            RunState.NeedsOperator => "Read the last error, look at the server, then resume or roll back.",
            RunState.Completed when status is { CleanedUp: false, RollbackUntil: { } until } && until > model.Now =>
                $"Rollback is possible until {Plain.Moment(until)}, with nothing lost. Clean up ends that sooner and frees the disk.",
            RunState.Completed when !status.CleanedUp => "The rollback window is over. Clean up drops the old table and frees the disk.",
            RunState.Completed or RunState.RolledBack or RunState.NotRequired => "",
            _ when status.Owner is null => "A worker takes it over within seconds. If none does, none is running: start one with `godwit serve` or `godwit worker`.",
            _ => Ahead(model),
        };
    }

    private static string Asked(RunRequest request) => request switch
    {
        RunRequest.CutOver => "The cutover",
        RunRequest.CleanUp => "The clean-up",
        RunRequest.Rollback => "A rollback",
        _ => request.ToString(),
    };

    private static string Ahead(RunModel model)
    {
        if (model.Status.State == RunState.RollingBack)
        {
            return $"{Plain.Count(model.Status.Steps.Count(s => s.State is StepState.Done or StepState.Running or StepState.Failed))} steps are still to be undone.";
        }

        var next = model.Status.Steps.FirstOrDefault(s => s.State == StepState.Pending);
        return next is null ? "This is the last step." : $"Then: {char.ToLowerInvariant(next.Description[0])}{next.Description[1..]}.";
    }
}
