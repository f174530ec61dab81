using System.Text.Json;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Steps;

namespace Godwit.Runs;

/// <summary>
/// Owns a run: does its steps in order, or undoes them newest first, and answers what people ask for meanwhile. Everything it knows is
/// in the store, so another process can go on from any point.
/// </summary>
internal sealed class Runner
{
    /// <summary>The journal's fact that the run is being undone: from then on it only goes that way.</summary>
    private const string RollingBack = "rolling-back";

    private readonly IRunStore _store;
    private readonly LeaseKeeper _lease;
    private readonly RunControl _control;
    private readonly RunServices _services;
    private readonly Plan _plan;
    private readonly TimeProvider _clock;
    private readonly StepRecord[] _steps;
    private RunRecord _run;

    private Runner(IRunStore store, LeaseKeeper lease, RunControl control, RunRecord run, Plan plan, StepRecord[] steps, Func<Runner, RunServices> services, TimeProvider clock)
    {
        (_store, _lease, _control, _run, _plan, _steps, _clock) = (store, lease, control, run, plan, steps, clock);
        _services = services(this);
    }

    /// <summary>Takes the run over and works on it until it ends, is stopped, or waits for nobody any more.</summary>
    /// <param name="store">The store.</param>
    /// <param name="gateway">The server.</param>
    /// <param name="runId">The run.</param>
    /// <param name="first">What to do: nothing special, roll back, or cut over without asking.</param>
    /// <param name="beat">Called about twice a second.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="ct">Stops the run.</param>
    public static async Task RunAsync(
        IRunStore store, ClickHouseGateway gateway, string runId, RunRequest first, Func<Task>? beat, TimeProvider clock, CancellationToken ct)
    {
        var lease = await LeaseKeeper.TakeAsync(store, runId, clock, ct);
        var board = new ProgressBoard(clock);
        var control = new RunControl(store, lease, runId, board, clock) { Beat = beat };
        try
        {
            var run = await store.FindRunAsync(runId, ct) ?? throw new RunNotFoundException(runId);
            var plan = await store.GetPlanAsync(runId, ct);
            var steps = (await store.GetStepsAsync(runId, ct)).ToArray();
            var journal = new Journal(store, lease, runId, clock);
            await journal.LoadAsync(ct);
            var runner = new Runner(store, lease, control, run, plan, steps, r => r.Services(gateway, journal, board), clock);
            foreach (var step in steps.Where(s => s.State == StepState.Done))
            {
                board.Finish(step.Index, step.RowsDone);
            }

            board.Cutover = journal.Find<CutoverFigures>("swept/forward");
            await store.PutRequestAsync(runId, RunRequest.None, ct);
            control.Start();
            await (first is RunRequest.Pause or RunRequest.Stop ? runner.HoldAsync() : runner.LiveAsync(first, ct));
            await lease.RenewAsync(board.Snapshot(), CancellationToken.None);
        }
        finally
        {
            await control.DisposeAsync();
            await ReleaseAsync(lease);
        }
    }

    // Whoever took the lease over, or whatever is wrong with the store, is reported by the work itself.
    private static async Task ReleaseAsync(LeaseKeeper lease)
    {
        try
        {
            await lease.ReleaseAsync();
        }
        catch (LeaseLostException)
        {
        }
        catch (StoreException)
        {
        }
    }

    private RunServices Services(ClickHouseGateway gateway, Journal journal, ProgressBoard board)
    {
        var spec = _plan.Shared.Deserialize<RebuildSpec>(PlanFormat.Json)!;
        var options = JsonSerializer.Deserialize<RunOptions>(_run.Options, PlanFormat.Json)!;
        return new RunServices
        {
            RunId = _run.RunId,
            Gateway = gateway,
            Journal = journal,
            Board = board,
            Options = options,
            Clock = _clock,
            Brakes = new Brakes(gateway, spec.Source, options, board, _clock),
            Shared = spec,
            AwaitPersonAsync = AwaitPersonAsync,
        };
    }

    /// <summary>One stretch of work after another, until there is nothing more to do here.</summary>
    private async Task LiveAsync(RunRequest first, CancellationToken ct)
    {
        var request = first;
        while (true)
        {
            // A rollback that was cut off goes on as one: its steps are half undone.
            request = _services.Journal.Has(RollingBack) ? RunRequest.Rollback : request;
            var work = _control.BeginWork(ct);
            try
            {
                await (request switch
                {
                    RunRequest.Rollback => RollBackAsync(work),
                    RunRequest.CleanUp => CleanUpAsync(work),
                    _ => GoForwardAsync(request, work),
                });
                if (_run is { State: RunState.Completed, CleanedUp: false } && request != RunRequest.CleanUp && _services.Options.DropRetired)
                {
                    await CleanUpAsync(work);
                }

                return;
            }
            catch (OperationCanceledException) when (work.IsCancellationRequested)
            {
                if (await InterruptedAsync(ct) is not { } next)
                {
                    return;
                }

                request = next;
            }
        }
    }

    /// <summary>Makes sure that nothing of a run without an owner is at work, and says so.</summary>
    private async Task HoldAsync()
    {
        await LongStatement.KillAsync(
            _services.Gateway, $"startsWith(query_id, {Sql.Literal(_services.QueryPrefix)})", CancellationToken.None);
        await MoveAsync(RunState.Paused, "It was stopped.");
    }

    /// <summary>Ends the rollback window of a run in a process of its own: see <see cref="CleanUp"/>.</summary>
    private async Task CleanUpAsync(CancellationToken ct)
    {
        await GuardedAsync(
            async () =>
            {
                _services.Board.Activity = "dropping the old table";
                await CleanUp.RunAsync(new StepContext(_plan, _plan.Steps[^1], _services), ct);
                _run = _run with { CleanedUp = true, RollbackUntil = null };
                await MoveAsync(RunState.Completed, null);
            },
            ct);
        _services.Board.Activity = null;
    }

    /// <summary>The work was cancelled: why, and what is next; null to let go of the run.</summary>
    private async Task<RunRequest?> InterruptedAsync(CancellationToken ct)
    {
        if (_control.Failure is { } failure)
        {
            throw failure;
        }

        var request = ct.IsCancellationRequested ? RunRequest.Stop : _control.Request;
        await LongStatement.KillAsync(
            _services.Gateway, $"startsWith(query_id, {Sql.Literal(_services.QueryPrefix)})", CancellationToken.None);
        if (request == RunRequest.Rollback)
        {
            await _control.AnswerAsync(request);
            return request;
        }

        // A rollback that had not begun, or a clean-up, leaves the run as it is.
        if (RunTransitions.IsAllowed(_run.State, RunState.Paused))
        {
            await MoveAsync(RunState.Paused, request == RunRequest.Stop ? "It was stopped." : null);
        }

        await _control.AnswerAsync(request);
        if (request == RunRequest.Stop)
        {
            return null;
        }

        _services.Board.Activity = "paused";
        try
        {
            request = await _control.NextRequestAsync(ct);
        }
        catch (OperationCanceledException)
        {
            return _control.Failure is { } lost ? throw lost : null;
        }

        await _control.AnswerAsync(request);
        return request == RunRequest.Stop ? null : request;
    }

    private async Task GoForwardAsync(RunRequest request, CancellationToken ct)
    {
        // Whoever took the run over may have waited for an owner that completed it.
        if (_run.State == RunState.Completed)
        {
            return;
        }

        if (_run.State == RunState.NotStarted)
        {
            await MoveAsync(RunState.Starting, null);
            _run = _run with { StartedAt = _clock.GetUtcNow() };
        }

        if (_run.State != RunState.Running)
        {
            await MoveAsync(RunState.Running, null);
        }

        if (request == RunRequest.CutOver && !_services.Journal.Has("cutover-asked"))
        {
            await _services.Journal.FactAsync(_plan.Steps.Count - 1, "cutover-asked", true);
        }

        await GuardedAsync(
            async () =>
            {
                await new StepSequence(_plan, _steps, _services, SaveAsync).ForwardAsync(ct);
                await CompleteAsync();
            },
            ct);
    }

    private async Task RollBackAsync(CancellationToken ct)
    {
        await GuardedAsync(
            async () =>
            {
                var steps = new StepSequence(_plan, _steps, _services, SaveAsync);
                if (!_services.Journal.Has(RollingBack))
                {
                    // Until this is through the run may still go forward, or stay completed.
                    await steps.PrepareUndoAsync(ct);
                    await _services.Journal.FactAsync(0, RollingBack, true);
                }

                if (_run.State != RunState.RollingBack)
                {
                    await MoveAsync(RunState.RollingBack, null);
                }

                await steps.UndoAsync(ct);
                _run = _run with { FinishedAt = _clock.GetUtcNow(), RollbackUntil = null };
                await MoveAsync(RunState.RolledBack, null);
            },
            ct);
    }

    /// <summary>Turns what went wrong into a state and a sentence; what is wrong with the store or the lease goes up.</summary>
    private async Task GuardedAsync(Func<Task> work, CancellationToken ct)
    {
        try
        {
            await work();
        }
        catch (NeedsOperatorException e)
        {
            await FailAsync(RunState.NeedsOperator, e.Message, null);
            if (e.Told is not null)
            {
                await _services.Journal.FactAsync(_plan.Steps.Count - 1, e.Told, true);
            }
        }
        catch (Exception e) when (e is StepFailedException or OutcomeUnknownException or StoredFormatException)
        {
            await FailAsync(RunState.Failed, e.Message, e.InnerException?.Message);
        }
        catch (ClickHouseException e) when (!ct.IsCancellationRequested)
        {
            await FailAsync(RunState.Failed, Failures.Explain(e, _services.Gateway.Name), e.ServerMessage);
        }
    }

    private async Task FailAsync(RunState state, string message, string? details)
    {
        var step = Array.Find(_steps, s => s.State is StepState.Running or StepState.Failed)?.Index;
        for (var i = 0; i < _steps.Length; i++)
        {
            if (_steps[i].State == StepState.Running)
            {
                _steps[i] = _steps[i] with { State = StepState.Failed };
                await SaveAsync(_steps[i]);
            }
        }

        await _store.AppendErrorAsync(_lease.Current, new RunError(_run.RunId, step, message, details, _clock.GetUtcNow()), CancellationToken.None);

        // A clean-up that failed or a rollback that could not begin leaves a run as it is: it can be asked for again.
        await MoveAsync(RunTransitions.IsAllowed(_run.State, state) ? state : _run.State, message);
    }

    private async Task CompleteAsync()
    {
        var options = _services.Options;
        var now = _clock.GetUtcNow();
        var spec = (RebuildSpec)_services.Shared;
        var canGoBack = spec.CanRollBackAfterCutover && !options.DropRetired;
        _run = _run with { FinishedAt = now, RollbackUntil = canGoBack ? now + options.RollbackWindow : null };

        // An ALTER leaves no old table behind: without a way back there is nothing to clean up.
        _run = _run with { CleanedUp = _plan.Strategy == "alter" && !canGoBack };
        await MoveAsync(RunState.Completed, null);
        _services.Board.Activity = null;
    }

    private async Task AwaitPersonAsync(RunState state, RunRequest wanted, Func<CancellationToken, Task> meanwhile, CancellationToken ct)
    {
        await MoveAsync(state, null);
        while (_control.Request != wanted)
        {
            await meanwhile(ct);
        }

        await _control.AnswerAsync(wanted);
        await MoveAsync(RunState.Running, null);
    }

    private async Task MoveAsync(RunState state, string? problem)
    {
        if (_run.State != state)
        {
            RunTransitions.Require(_run.RunId, _run.State, state);
        }

        _run = _run with { State = state, Problem = problem };
        await _store.UpdateRunAsync(_lease.Current, _run, CancellationToken.None);
    }

    private Task SaveAsync(StepRecord step) => _store.UpdateStepAsync(_lease.Current, step, CancellationToken.None);
}
