using System.Diagnostics.CodeAnalysis;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Plans;
using Godwit.Steps;

namespace Godwit.Runs;

/// <summary>
/// The three stretches of work that a run knows: forward, back, and the clean-up. What goes wrong in one becomes a state and a sentence;
/// what is wrong with the store or the lease goes up.
/// </summary>
internal sealed class RunWork(RunHost host, RunBook book, RunServices services)
{
    private readonly StepSequence _steps = new(book, services);

    /// <summary>Whether the run has begun to be undone: its steps may be half undone, and there is no other way.</summary>
    public bool IsRollingBack => _steps.IsRollingBack;

    private Plan Plan => services.Plan;

    /// <summary>Does every step that is not done.</summary>
    /// <param name="cutOver">Whether a person has asked for the cutover that the run waits for.</param>
    /// <param name="ct">Interrupts it.</param>
    public async Task GoForwardAsync(bool cutOver, CancellationToken ct)
    {
        // Whoever took the run over may have waited for an owner that completed it.
        if (book.Run.State == RunState.Completed)
        {
            return;
        }

        if (book.Run.State == RunState.NotStarted)
        {
            await book.MoveAsync(RunState.Starting, null, run => run with { StartedAt = services.Clock.GetUtcNow() });
        }

        if (book.Run.State == RunState.Starting && await RefusalAsync(ct) is { } refusal)
        {
            await book.FailAsync(RunState.FailedAtStartup, refusal, null, null);
            return;
        }

        // Before the request is answered: otherwise a death in between would forget it.
        if (cutOver && Plan.Steps.FirstOrDefault(s => s.Kind == AwaitCutover.Name && book.Steps[s.Index].State != StepState.Done) is { } waiting)
        {
            await AwaitCutover.AskAsync(services.Journal.Of(waiting));
        }

        if (book.Run.State != RunState.Running)
        {
            await book.MoveAsync(RunState.Running);
        }
        else
        {
            await (book.Moved?.Invoke() ?? Task.CompletedTask);
        }

        await GuardedAsync(
            async () =>
            {
                RequireDefinition();
                await HealthWatch.WorkAsync(
                    services.Migration, services.Clock, token => ProgressWatch.WorkAsync(services.Migration, book, services.Board, services.Clock, _steps.ForwardAsync, token), ct);
                await CheckResultAsync(ct);
                await CompleteAsync();
            },
            ct);
    }

    /// <summary>Undoes every step that was begun, newest first.</summary>
    public Task RollBackAsync(CancellationToken ct) => GuardedAsync(
        async () =>
        {
            if (!IsRollingBack)
            {
                // Until this is through the run may still go forward, or stay completed.
                await _steps.BeginUndoAsync(ct);
            }

            if (book.Run.State != RunState.RollingBack)
            {
                await book.MoveAsync(RunState.RollingBack);
            }

            await _steps.UndoAsync(ct);
            await book.MoveAsync(RunState.RolledBack, null, run => run with { FinishedAt = services.Clock.GetUtcNow(), RollbackUntil = null });
        },
        ct);

    /// <summary>Puts back what must not stay held while nobody works on the run.</summary>
    public async Task LetGoAsync()
    {
        foreach (var step in Plan.Steps.Where(s => book.Steps[s.Index].State is StepState.Running or StepState.Failed or StepState.Done))
        {
            await StepCatalog.Get(step.Kind).LetGoAsync(new StepContext(services, step));
        }
    }

    /// <summary>Ends the rollback window: removes what every operation kept for it.</summary>
    public async Task CleanUpAsync(CancellationToken ct)
    {
        await GuardedAsync(
            async () =>
            {
                services.Board.Activity = "dropping what was kept for a rollback";
                foreach (var operation in services.Operations.Where(o => o.Spec.LeavesRetired))
                {
                    await operation.Kind.CleanUpAsync(new StepContext(services, operation.Steps[^1]), ct);
                }

                await book.MoveAsync(RunState.Completed, null, run => run with { CleanedUp = true, RollbackUntil = null });
            },
            ct);
        services.Board.Activity = null;
    }

    /// <summary>What stands in the way of the first step by now; the plan may have been made days ago.</summary>
    private async Task<string?> RefusalAsync(CancellationToken ct)
    {
        if (services.Migration is not { } migration)
        {
            return null;
        }

        var twin = (await host.Store.ListRunsAsync(ct)).FirstOrDefault(r =>
            r.Migration == Plan.Migration && r.Instance == book.Run.Instance && r.State == RunState.Completed && r.FinishedAt > book.Run.CreatedAt);
        return twin is null
            ? CheckRunner.Refusal(await StartChecks.RunAsync(host, migration, ct))
            : $"{Plan.Migration} was completed by run {twin.RunId} after this run was planned. Nothing is left to do.";
    }

    private void RequireDefinition()
    {
        if (Plan.Migration != Plan.ByHand && services.Migration is null)
        {
            throw new StepFailedException($"The definition of {Plan.Migration} is not known to this Godwit, so its checks cannot be asked. Load it (--migrations), then `resume`; `rollback` needs it only for its own code.");
        }
    }

    private async Task CheckResultAsync(CancellationToken ct)
    {
        if (services.Migration is { } migration && CheckRunner.Refusal(await CheckRunner.AskAsync(migration, ct, CheckScope.Postcheck)) is { } refusal)
        {
            throw new StepFailedException($"All steps are done, and a postcheck refuses the result. {refusal} Mend that and `resume`, or `rollback`.");
        }
    }

    private async Task CompleteAsync()
    {
        var now = services.Clock.GetUtcNow();
        var canGoBack = !services.Options.DropRetired && services.Operations.All(o => o.Spec.CanRollBackAfterCompletion);
        await book.MoveAsync(RunState.Completed, null, run => run with
        {
            FinishedAt = now,
            RollbackUntil = canGoBack ? now + services.Options.RollbackWindow : null,

            // Without a way back and without an old table there is nothing to clean up.
            CleanedUp = !canGoBack && !services.Operations.Any(o => o.Spec.LeavesRetired),
        });
        services.Board.CaughtUpTo = null;
        services.Board.Activity = null;
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong in a step, a person must find the run in a state that says so; an escaping exception would end the worker and leave the run as if it went on.")]
    private async Task GuardedAsync(Func<Task> work, CancellationToken ct)
    {
        try
        {
            await work();
        }
        catch (NeedsOperatorException e)
        {
            await FailAsync(RunState.NeedsOperator, e.Message, null);
            await (e.OnTold?.Invoke() ?? Task.CompletedTask);
        }
        catch (Exception e) when (e is StepFailedException or OutcomeUnknownException or StoredFormatException)
        {
            await FailAsync(RunState.Failed, e.Message, e.InnerException?.Message);
        }
        catch (ClickHouseException e) when (!ct.IsCancellationRequested)
        {
            await FailAsync(RunState.Failed, Failures.Explain(e), e.Words);
        }
        catch (Exception e) when (!ct.IsCancellationRequested && e is not (StoreException or LeaseHeldException or LeaseLostException or RunConflictException or WrongStateException or OperationCanceledException or ClickHouseException))
        {
            await FailAsync(RunState.Failed, $"Godwit met what it did not expect, {e.GetType().Name}: {e.Message} `errors` shows where; `resume` tries again.", e.ToString());
        }
    }

    // Nothing stays held while nobody works on the run; that it could not be put back must not hide what went wrong.
    private async Task FailAsync(RunState state, string message, string? details)
    {
        try
        {
            await LetGoAsync();
        }
        catch (Exception e) when (e is not (StoreException or LeaseHeldException or LeaseLostException))
        {
            message = message.Contains(e.Message, StringComparison.Ordinal) ? message : $"{message} What it holds could not be put back: {e.Message} `resume` and `rollback` do that first.";
        }

        await book.FailAsync(state, Where(message), details, _steps.Undoing);
    }

    private string Where(string problem) => _steps.Undoing is { } step
        ? $"The rollback stands at step {step}, \"{Plan.Steps[step].Description}\": {problem}"
        : problem;
}
