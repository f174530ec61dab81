using System.Text.Json;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Plans;

namespace Godwit.Runs;

/// <summary>
/// Owns a run: goes forward or back, and answers what people ask for meanwhile. Everything it knows is in the store, so another process
/// can go on from any point.
/// </summary>
internal sealed class Runner
{
    private readonly RunControl _control;
    private readonly RunBook _book;
    private readonly RunServices _services;
    private readonly RunWork _work;
    private readonly bool _handsOver;

    private Runner(RunHost host, RunControl control, RunBook book, Func<Runner, RunServices> services)
    {
        (_control, _book, _handsOver) = (control, book, host.HandsOver);
        _services = services(this);
        _work = new RunWork(host, book, _services);
    }

    /// <summary>Takes the run over and works on it until it ends, is stopped, or waits for nobody any more.</summary>
    /// <param name="host">What this process offers to it.</param>
    /// <param name="runId">The run.</param>
    /// <param name="first">What to do: nothing special, roll back, or cut over without asking.</param>
    /// <param name="beat">Called about twice a second.</param>
    /// <param name="ct">Stops the run.</param>
    /// <returns>Whether the run has gone back, or begun to.</returns>
    public static async Task<bool> RunAsync(RunHost host, string runId, RunRequest first, Func<Task>? beat, CancellationToken ct)
    {
        var (store, _, clock) = host;
        var asked = await store.GetRequestAsync(runId, ct);
        var lease = await LeaseKeeper.TakeAsync(store, runId, clock, ct);
        var board = new ProgressBoard(clock);
        var control = new RunControl(store, lease, runId, board, clock) { Beat = beat };
        try
        {
            var run = await store.FindRunAsync(runId, ct) ?? throw new RunNotFoundException(runId);
            var plan = await store.GetPlanAsync(runId, ct);
            var book = new RunBook(store, lease, run, [.. await store.GetStepsAsync(runId, ct)], clock, host.Notifier);
            var journal = new Journal(store, lease, plan, clock);
            await journal.LoadAsync(ct);
            board.Restore(plan, book.Steps, journal);
            host = host with { Gateway = host.Gateway.Guarded(lease.RequireAsync) };
            var runner = new Runner(host, control, book, r => Services(host, plan, book, journal, board, lease, r.AwaitPersonAsync));

            // Whoever takes the run over when this process dies is to do the same. What was asked for since is newer.
            if (first != asked && first != RunRequest.Abandon && await store.GetRequestAsync(runId, ct) == asked)
            {
                await store.PutRequestAsync(runId, first, ct);
            }

            control.Limited = limit => runner._services.Options = runner._services.Options with { MaxRowsPerSecond = limit.RowsPerSecond };
            control.Take(first);
            book.Moved = control.AnswerAsync;
            control.Start();
            await (first switch
            {
                RunRequest.Pause or RunRequest.Stop => runner.HoldAsync(),
                RunRequest.Abandon => runner.AbandonAsync(),
                _ => runner.LiveAsync(first, ct),
            });
            await lease.RenewAsync(board.Snapshot(), CancellationToken.None);
            return runner._work.IsRollingBack;
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

    private static RunServices Services(
        RunHost host,
        Plan plan,
        RunBook book,
        Journal journal,
        ProgressBoard board,
        LeaseKeeper lease,
        Func<RunState, RunRequest, Func<CancellationToken, Task>, Func<Task>, CancellationToken, Task> awaitPersonAsync)
    {
        var options = RunOptions.Read(book.Run.Options);
        return new RunServices
        {
            Plan = plan,
            Operations = OperationScope.Of(plan, table => new Brakes(host.Gateway, table, options, board, host.Clock)),
            Migration = host.Find(plan),
            Gateway = host.Gateway,
            PostgreSql = host.PostgreSql,
            RequireLeaseAsync = lease.RequireAsync,
            Journal = journal,
            Board = board,
            Options = options,
            Clock = host.Clock,
            Hooks = host.Hooks,
            Patience = host.Patience,
            AwaitPersonAsync = awaitPersonAsync,
            NoteAsync = (step, message) => book.NoteAsync(step, message, null),
        };
    }

    /// <summary>One stretch of work after another, until there is nothing more to do here.</summary>
    private async Task LiveAsync(RunRequest first, CancellationToken ct)
    {
        var request = first;
        while (true)
        {
            request = _work.IsRollingBack ? RunRequest.Rollback : request;
            var token = _control.BeginWork(ct);
            try
            {
                await (request switch
                {
                    RunRequest.Rollback => _work.RollBackAsync(token),
                    RunRequest.CleanUp => _work.CleanUpAsync(token),
                    _ => _work.GoForwardAsync(request == RunRequest.CutOver, token),
                });
                if (_book.Run is { State: RunState.Completed, CleanedUp: false } && request != RunRequest.CleanUp && _services.Options.DropRetired)
                {
                    await _work.CleanUpAsync(token);
                }

                return;
            }
            catch (Exception e) when (token.IsCancellationRequested && e is OperationCanceledException or ClickHouseException)
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
    private async Task HoldAsync() => await HoldAsync(RunRequest.Stop, await KillAllAsync());

    /// <summary>Says that a run is held. Half a rollback has no state of its own to wait in: it has failed until somebody resumes it.</summary>
    private async Task HoldAsync(RunRequest request, string? trouble)
    {
        var why = request == RunRequest.Stop ? "It was stopped." : null;
        if (_book.Run.State == RunState.RollingBack && request == RunRequest.Stop)
        {
            await _book.FailAsync(RunState.Failed, Join("The rollback was stopped. `resume` goes on with it.", trouble)!, null, null);
        }
        else if (RunTransitions.IsAllowed(_book.Run.State, RunState.Paused))
        {
            await _book.MoveAsync(RunState.Paused, Join(why, trouble));
        }
    }

    private static string? Join(string? why, string? trouble) => trouble is null ? why : $"{why} {trouble}".TrimStart();

    /// <summary>Makes sure that nothing of a run whose owner died is at work, and leaves it to a person.</summary>
    private async Task AbandonAsync()
    {
        var trouble = await KillAllAsync();
        await (_book.Run.State == RunState.Starting
            ? _book.FailAsync(RunState.FailedAtStartup, "The process that started it died, and the setting autoContinue is off. Run it again.", null, null)
            : _book.FailAsync(RunState.Failed, Join("The process that worked on it died, and the setting autoContinue is off. `resume` goes on, `rollback` undoes it.", trouble)!, null, null));
    }

    /// <summary>Kills all statements of the run, and puts back what must not stay held.</summary>
    /// <returns>Where that could not be done; null when none is at work any more. Whoever goes on with the run does it first.</returns>
    private async Task<string?> KillAllAsync()
    {
        // Each node is awaited, whatever another one answers.
        var failures = await Task.WhenAll(_services.Nodes.Select(async node =>
        {
            try
            {
                await LongStatement.KillAsync(_services.Gateway.At(node), $"startsWith(query_id, {Sql.Literal(_services.QueryPrefix)})", CancellationToken.None);
                return null;
            }
            catch (ClickHouseException e)
            {
                return $"Its statements on {node} could not be ended: {e.Message}";
            }
        }));
        List<string> told = [.. failures.OfType<string>()];
        try
        {
            await _work.LetGoAsync();
        }
        catch (Exception e) when (e is not (StoreException or LeaseHeldException or LeaseLostException))
        {
            told.Add(e.Message);
        }

        return told.Count > 0 ? string.Join(' ', told) : null;
    }

    /// <summary>The work was cancelled: why, and what is next; null to let go of the run.</summary>
    private async Task<RunRequest?> InterruptedAsync(CancellationToken ct)
    {
        if (_control.Failure is { } failure)
        {
            throw failure;
        }

        var request = ct.IsCancellationRequested ? RunRequest.Stop : _control.Request;
        var trouble = await KillAllAsync();
        if (ct.IsCancellationRequested && _handsOver)
        {
            return null;
        }

        if (ct.IsCancellationRequested)
        {
            // What was being done for somebody is called off with it; no worker is to take it up.
            await _control.AnswerAsync();
        }

        _control.Take(request);
        if (request is RunRequest.Rollback or RunRequest.Resume or RunRequest.CutOver)
        {
            // Whoever paused it has changed their mind before that was done.
            return request;
        }

        // A rollback that had not begun, or a clean-up, leaves the run as it is.
        await HoldAsync(request, trouble);
        await _control.AnswerAsync();
        return request == RunRequest.Stop ? null : await NextAsync(ct);
    }

    /// <summary>What a person asks for next of a run that is held; null to let go of it.</summary>
    private async Task<RunRequest?> NextAsync(CancellationToken ct)
    {
        _services.Board.Activity = "paused";
        try
        {
            while (true)
            {
                var request = await _control.NextRequestAsync(ct);
                if (request is RunRequest.Resume or RunRequest.CutOver or RunRequest.Rollback)
                {
                    _control.Take(request);
                    return request;
                }

                // Whatever else is asked of a run that is held is so already.
                await _control.AnswerAsync(request);
                if (request == RunRequest.Stop)
                {
                    return null;
                }
            }
        }
        catch (OperationCanceledException)
        {
            return _control.Failure is { } lost ? throw lost : null;
        }
    }

    private async Task AwaitPersonAsync(RunState state, RunRequest wanted, Func<CancellationToken, Task> meanwhile, Func<Task> keep, CancellationToken ct)
    {
        await _book.MoveAsync(state);
        while (_control.Request != wanted)
        {
            await meanwhile(ct);
        }

        _control.Take(wanted);
        await keep();
        await _book.MoveAsync(RunState.Running);
    }
}
