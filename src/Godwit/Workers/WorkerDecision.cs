using Godwit.Metadata;
using Godwit.Runs;

namespace Godwit.Workers;

/// <summary>What a worker does with a run that nobody owns.</summary>
internal enum WorkerMove
{
    /// <summary>Leaves it alone.</summary>
    Nothing,

    /// <summary>Does what was asked, or goes on where its owner stopped.</summary>
    Work,

    /// <summary>Undoes it.</summary>
    RollBack,

    /// <summary>Says that its owner died.</summary>
    Fail,
}

/// <summary>The one table of what a worker does.</summary>
internal static class WorkerDecision
{
    /// <summary>Decides, for a run without a living owner.</summary>
    public static WorkerMove Of(RunState state, RunRequest request, WorkerSettings settings) => (state, request) switch
    {
        (RunState.NotStarted, RunRequest.Start) => settings.Drain ? WorkerMove.Nothing : WorkerMove.Work,
        (_, RunRequest.Rollback) when RunTransitions.IsAllowed(state, RunState.RollingBack) || state == RunState.RollingBack => WorkerMove.RollBack,
        (RunState.Paused or RunState.Failed or RunState.NeedsOperator or RunState.Starting or RunState.Running or RunState.AwaitingCutover, RunRequest.Resume) => WorkerMove.Work,
        (RunState.Running or RunState.AwaitingCutover, RunRequest.Pause or RunRequest.Stop) => WorkerMove.Work,
        (RunState.AwaitingCutover, RunRequest.CutOver) => WorkerMove.Work,
        (RunState.Completed, RunRequest.CleanUp) => WorkerMove.Work,

        // Its owner died: nobody lets go of a run in these states.
        (RunState.RollingBack, _) => WorkerMove.Work,
        (RunState.Starting or RunState.Running or RunState.AwaitingCutover, _) => settings.AutoContinue ? WorkerMove.Work : settings.AutoRollback ? WorkerMove.RollBack : WorkerMove.Fail,
        _ => WorkerMove.Nothing,
    };
}
