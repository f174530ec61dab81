using Godwit.Metadata;
using Godwit.Migrations;

namespace Godwit.Runs;

/// <summary>
/// What may be asked of a run, and in which states. The same for whoever does it in this process and for whoever leaves it to the owner of the
/// run or to a worker.
/// </summary>
internal sealed class Steering(RunHost host)
{
    private static readonly Dictionary<RunRequest, (string Verb, RunState[] States)> Allowed = new()
    {
        [RunRequest.Start] = ("be queued", [RunState.NotStarted]),
        [RunRequest.Pause] = ("be paused", [RunState.Running, RunState.AwaitingCutover]),
        [RunRequest.Resume] = ("be resumed", [RunState.NotStarted, RunState.Starting, RunState.Running, RunState.Paused, RunState.AwaitingCutover, RunState.Failed, RunState.NeedsOperator, RunState.RollingBack]),

        // A completed one while its rollback gets ready, or its clean-up is at work.
        [RunRequest.Stop] = ("be stopped", [RunState.Running, RunState.Paused, RunState.AwaitingCutover, RunState.Completed, RunState.RollingBack]),
        [RunRequest.CutOver] = ("be cut over", [RunState.AwaitingCutover]),
        [RunRequest.Rollback] = ("be rolled back", [RunState.NotStarted, RunState.Starting, RunState.Running, RunState.Paused, RunState.AwaitingCutover, RunState.Failed, RunState.NeedsOperator, RunState.Completed, RunState.RollingBack]),
        [RunRequest.CleanUp] = ("be cleaned up", [RunState.Completed]),
    };

    /// <summary>Everything that a person may ask of a run in this state; what it depends on besides is told when it is asked.</summary>
    /// <param name="run">The run.</param>
    /// <param name="isOwned">Whether a process works on it.</param>
    /// <param name="now">The time now.</param>
    public static IReadOnlyList<RunRequest> Of(RunRecord run, bool isOwned, DateTimeOffset now) =>
        [.. Allowed.Where(a => a.Value.States.Contains(run.State) && (a.Key, run.State) switch
        {
            (RunRequest.Stop, RunState.Completed) => isOwned,
            (RunRequest.Rollback, RunState.Completed) => run.RollbackUntil > now,
            (RunRequest.CleanUp, _) => !run.CleanedUp,
            _ => true,
        }).Select(a => a.Key)];

    /// <summary>The run, when this may be asked of it.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="force">Whether a rollback is asked for though others are built on the migration.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="WrongStateException">It may not be asked; says why and what to do.</exception>
    public async Task<RunRecord> RequireAsync(string runId, RunRequest request, bool force, CancellationToken ct)
    {
        var run = await host.Store.FindRunAsync(runId, ct) ?? throw new RunNotFoundException(runId);
        var (verb, states) = Allowed[request];
        if (!states.Contains(run.State))
        {
            throw new WrongStateException($"Run {runId} is {run.State}, so it cannot {verb}; only a run that is {string.Join(", ", states)} can.");
        }

        if (request == RunRequest.CleanUp && run.CleanedUp)
        {
            throw new WrongStateException($"Run {runId} was cleaned up before; nothing of it is left.");
        }

        if (request == RunRequest.Stop && run.State == RunState.Completed && !await IsOwnedAsync(runId, ct))
        {
            throw new WrongStateException($"Run {runId} is Completed and nobody works on it, so there is nothing to stop.");
        }

        if (request == RunRequest.Rollback)
        {
            await RequireWayBackAsync(run, force, ct);
        }

        return run;
    }

    /// <summary>Whether a process works on the run.</summary>
    public async Task<bool> IsOwnedAsync(string runId, CancellationToken ct) =>
        await host.Store.FindLeaseAsync(runId, ct) is { } lease && lease.ExpiresAt > host.Clock.GetUtcNow();

    private async Task RequireWayBackAsync(RunRecord run, bool force, CancellationToken ct)
    {
        if (run.State == RunState.Completed && !(run.RollbackUntil > host.Clock.GetUtcNow()))
        {
            throw new WrongStateException(
                run.CleanedUp || run.RollbackUntil is null
                    ? $"Run {run.RunId} is Completed and there is no way back any more: it was cleaned up, or its plan said that there is none."
                    : $"The rollback window of run {run.RunId} ended at {run.RollbackUntil:yyyy-MM-dd HH:mm:ss} UTC. `godwit cleanup {run.RunId}` removes what is left.");
        }

        if (!force && run.State != RunState.RollingBack && await new MigrationLedger(host).DependentsAsync(run.Migration, ct) is [var dependent, ..])
        {
            throw new WrongStateException($"{dependent.Migration} depends on {run.Migration} and is {dependent.State}: `godwit rollback {dependent.RunId}` first, or give --force to undo this one all the same.");
        }
    }
}
