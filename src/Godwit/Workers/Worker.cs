using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Notifications;
using Godwit.Plans;
using Godwit.Runs;

namespace Godwit.Workers;

/// <summary>Something that a worker did, or that keeps it from working.</summary>
/// <param name="Message">One sentence.</param>
/// <param name="RunId">The run it is about; null for the worker as a whole.</param>
/// <param name="IsTrouble">Whether somebody should look.</param>
public sealed record WorkerEvent(string Message, string? RunId = null, bool IsTrouble = false);

/// <summary>
/// Works on the runs of an instance for as long as its process lives: those that people asked for, those whose owner died and, when the
/// settings say so, what is required. There may be any number of workers; each run has one owner.
/// </summary>
/// <param name="migrator">The instance, the store and the migrations.</param>
/// <param name="events">Is told what happens; null for nobody.</param>
public sealed class Worker(Migrator migrator, IProgress<WorkerEvent>? events = null)
{
    private readonly Dictionary<string, Task> _owned = new(StringComparer.Ordinal);
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private readonly RunHost _host = migrator.Host with
    {
        HandsOver = true,
        Notifier = migrator.NewNotifier(f => events?.Report(new WorkerEvent(f.Message, f.RunId, IsTrouble: true))),
    };
    private string? _waitsFor;

    /// <summary>How often it looks: an owner that died is noticed when its lease has ended and the next look comes.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Works until it is cancelled. Then the queries of its runs are killed and the runs are let go of as they are, for another worker to go on
    /// with. A store or a server that is away is told of and waited for.
    /// </summary>
    public async Task RunAsync(CancellationToken ct)
    {
        await using var notifier = _host.Notifier;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        try
        {
            while (true)
            {
                await TryLookAsync(end.Token);
                await migrator.Asked.WaitAsync(Period, _host.Clock, end.Token);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
        }
        finally
        {
            // Whatever ends the worker, its runs are let go of before it is gone.
            await end.CancelAsync();
            await Task.WhenAll(_owned.Values);
        }
    }

    private async Task LookAsync(CancellationToken ct)
    {
        var settings = WorkerSettings.Read(await _host.Store.GetSettingsAsync(ct));

        // A run that is taken while its server is away would soon be a failed one.
        await _host.Gateway.PingAsync(ct);
        foreach (var ended in _owned.Where(o => o.Value.IsCompleted).ToList())
        {
            // What it did not expect must not vanish with it.
            _owned.Remove(ended.Key);
            await ended.Value;
        }

        var runs = (await _host.Store.ListRunsAsync(ct)).Where(r => r.Instance == _host.Gateway.Name).ToList();

        // What was asked for first is done first.
        foreach (var run in Enumerable.Reverse(runs).Where(r => !RunTransitions.IsFinal(r.State) && !_owned.ContainsKey(r.RunId)).TakeWhile(_ => _owned.Count < settings.MaxConcurrentRuns))
        {
            await LookAtAsync(run, runs, settings, ct);
        }

        if (settings is { AutoStart: true, Drain: false } && settings.Windows.Contain(_host.Clock.GetUtcNow())
            && _owned.Count == 0 && !await AnyQueuedAsync(runs, ct) && !runs.Exists(r => RunTransitions.IsActive(r.State) || r.State is RunState.Failed or RunState.NeedsOperator))
        {
            await StartRequiredAsync(settings, ct);
        }
    }

    private async Task TryLookAsync(CancellationToken ct)
    {
        try
        {
            await LookAsync(ct);
            if (_waitsFor is not null)
            {
                _waitsFor = null;
                events?.Report(new WorkerEvent("The worker goes on: the store and the server answer."));
            }
        }
        catch (Exception e) when (e is StoreException or StoredFormatException or ClickHouseException)
        {
            if (_waitsFor != e.Message)
            {
                _waitsFor = e.Message;
                events?.Report(new WorkerEvent($"The worker waits: {e.Message}", IsTrouble: true));
            }
        }
    }

    private async Task LookAtAsync(RunRecord run, List<RunRecord> all, WorkerSettings settings, CancellationToken ct)
    {
        if (await _host.Store.FindLeaseAsync(run.RunId, ct) is { } lease && lease.ExpiresAt > _host.Clock.GetUtcNow())
        {
            return;
        }

        var request = await _host.Store.GetRequestAsync(run.RunId, ct);
        var isStart = (run.State, request) == (RunState.NotStarted, RunRequest.Start);
        RunRequest? first = WorkerDecision.Of(run.State, request, settings) switch
        {
            WorkerMove.Work when isStart && (!settings.WindowsOf(RunOptions.Read(run.Options)).Contain(_host.Clock.GetUtcNow()) || all.Exists(r => r.Migration == run.Migration && r.State is RunState.Failed or RunState.NeedsOperator)
                || all.Count(r => RunTransitions.IsActive(r.State) || _owned.ContainsKey(r.RunId)) >= settings.MaxConcurrentRuns) => null,
            WorkerMove.Work => request,
            WorkerMove.RollBack => RunRequest.Rollback,
            WorkerMove.Fail => RunRequest.Abandon,
            _ => null,
        };
        if (first is not null && run.Migration != Plan.ByHand && _host.Migrations.Find(run.Migration) is null)
        {
            // During an upgrade the definition is in the next version, whose workers take the run.
            Tell($"unknown {run.RunId}", new WorkerEvent($"Run {run.RunId} is left to a worker that knows the migration {run.Migration}; this one has no definition of it.", run.RunId));
        }
        else if (first is { } what)
        {
            _owned[run.RunId] = Task.Run(() => OwnAsync(run, what, settings, ct), CancellationToken.None);
        }
    }

    private async Task OwnAsync(RunRecord run, RunRequest first, WorkerSettings settings, CancellationToken ct)
    {
        try
        {
            events?.Report(new WorkerEvent($"{run.Subject}: {(first == RunRequest.None ? "goes on, its owner is gone" : first.ToString())}", run.RunId));
            var wentBack = await Runner.RunAsync(_host, run.RunId, first, null, ct);
            var now = await _host.Store.FindRunAsync(run.RunId, CancellationToken.None);
            if (now?.State == RunState.Failed && WorkerSettings.Read(await _host.Store.GetSettingsAsync(ct)).AutoRollback && !wentBack && !ct.IsCancellationRequested)
            {
                events?.Report(new WorkerEvent($"{run.Subject} failed and is rolled back: {now.Problem}", run.RunId, IsTrouble: true));
                await Runner.RunAsync(_host, run.RunId, RunRequest.Rollback, null, ct);
                now = await _host.Store.FindRunAsync(run.RunId, CancellationToken.None);
            }

            events?.Report(new WorkerEvent($"{run.Subject} is {now?.State}{(now?.Problem is null ? "" : $": {now.Problem}")}", run.RunId, now?.State is RunState.Failed or RunState.NeedsOperator or RunState.FailedAtStartup));
        }
        catch (Exception e) when (e is LeaseHeldException or LeaseLostException)
        {
            events?.Report(new WorkerEvent($"{run.Subject} is worked on by another process.", run.RunId));
        }
        catch (Exception e) when (e is StoreException or StoredFormatException or ClickHouseException or WrongStateException or RunConflictException)
        {
            events?.Report(new WorkerEvent($"{run.Subject} was let go of: {e.Message}", run.RunId, IsTrouble: true));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Before it owned the run.
        }
    }

    private async Task<bool> AnyQueuedAsync(List<RunRecord> runs, CancellationToken ct)
    {
        foreach (var run in runs.Where(r => r.State == RunState.NotStarted && _host.Migrations.Find(r.Migration) is not null))
        {
            if (await _host.Store.GetRequestAsync(run.RunId, ct) == RunRequest.Start)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Queues the first migration that is required and can start; one that cannot does not hold up those that do not depend on it.</summary>
    private async Task StartRequiredAsync(WorkerSettings settings, CancellationToken ct)
    {
        foreach (var next in (await migrator.MigrationsAsync(ct)).Where(m => m is { IsOrphaned: false, IsRequired: true, IsDone: false } && m.WaitsFor.Count == 0 && IsStartable(m)))
        {
            if (await TryStartAsync(next, settings, ct))
            {
                return;
            }
        }
    }

    private async Task<bool> TryStartAsync(MigrationOverview next, WorkerSettings settings, CancellationToken ct)
    {
        var options = new RunOptions { RollbackWindow = settings.RollbackWindow, StatementTimeout = settings.StatementTimeout };
        try
        {
            var proposal = await migrator.ProposeAsync(new MigrationRequest(next.Name), options, ct);
            if (proposal.Plan is null)
            {
                var refusal = CheckRunner.Refusal(proposal.Checks) ?? "";
                Tell($"{next.Name}: {refusal}", new WorkerEvent($"{next.Name} is required and cannot start. {refusal}", IsTrouble: true));
                return false;
            }

            var run = await migrator.CreateRunAsync(proposal.Plan, options, ct);
            await migrator.QueueAsync(run, "worker", ct);
            return true;
        }
        catch (Exception e) when (e is InvalidRequestException or RunConflictException)
        {
            Tell($"{next.Name}: {e.Message}", new WorkerEvent($"{next.Name} is required and cannot start. {e.Message}", IsTrouble: true));
            return false;
        }
    }

    // What a person has rolled back or what was refused at its start is not forced on the instance again. A run that was planned and never queued,
    // because the worker died in between, does not count.
    private static bool IsStartable(MigrationOverview migration) => migration.State == RunState.NotStarted;

    // Once in its life.
    private void Tell(string key, WorkerEvent what)
    {
        if (_told.Add(key))
        {
            events?.Report(what);
        }
    }
}
