namespace Godwit.Runs;

/// <summary>The one table of run states: what may follow what.</summary>
public static class RunTransitions
{
    private static readonly Dictionary<RunState, RunState[]> Next = new()
    {
        [RunState.NotStarted] = [RunState.Starting, RunState.RollingBack],
        [RunState.Starting] = [RunState.Running, RunState.FailedAtStartup, RunState.RollingBack],
        [RunState.FailedAtStartup] = [],
        [RunState.Running] = [RunState.Paused, RunState.AwaitingCutover, RunState.Completed, RunState.Failed, RunState.NeedsOperator, RunState.RollingBack],
        [RunState.Paused] = [RunState.Running, RunState.RollingBack, RunState.NeedsOperator],
        [RunState.AwaitingCutover] = [RunState.Running, RunState.Paused, RunState.RollingBack, RunState.Failed, RunState.NeedsOperator],
        [RunState.Completed] = [RunState.RollingBack],
        [RunState.Failed] = [RunState.Running, RunState.RollingBack],
        [RunState.RollingBack] = [RunState.RolledBack, RunState.Failed, RunState.NeedsOperator],
        [RunState.RolledBack] = [],
        [RunState.NeedsOperator] = [RunState.Running, RunState.RollingBack],
        [RunState.NotRequired] = [],
    };

    /// <summary>Whether a run in <paramref name="from"/> may go to <paramref name="to"/>.</summary>
    public static bool IsAllowed(RunState from, RunState to) => Array.IndexOf(Next[from], to) >= 0;

    /// <summary>The states in which a run has, or may have, work on a server in progress: nothing else may run on its instance.</summary>
    public static bool IsActive(RunState state) =>
        state is RunState.Starting or RunState.Running or RunState.Paused or RunState.AwaitingCutover or RunState.RollingBack;

    /// <summary>Whether a run in this state will never change again.</summary>
    public static bool IsFinal(RunState state) => state is RunState.FailedAtStartup or RunState.RolledBack or RunState.NotRequired;

    /// <summary>Refuses what the table does not allow.</summary>
    /// <exception cref="WrongStateException">The transition is not in the table.</exception>
    public static void Require(string runId, RunState from, RunState to)
    {
        if (!IsAllowed(from, to))
        {
            throw new WrongStateException($"Run {runId} is {from}, so it cannot become {to}. `godwit status {runId}` shows what it is waiting for.");
        }
    }
}

/// <summary>A verb was asked of a run that is in the wrong state for it; nothing was changed.</summary>
public sealed class WrongStateException(string message) : Exception(message);
