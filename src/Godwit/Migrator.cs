using System.Collections.Concurrent;
using System.Text.Json;
using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Notifications;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Runs;
using Godwit.Workers;

namespace Godwit;

/// <summary>
/// The one door to Godwit: make a plan, run it, steer it. The command line, the server and programs that embed Godwit all
/// call this class and nothing behind it.
/// </summary>
public sealed class Migrator
{
    private readonly ClickHouseGateway _gateway;
    private readonly IStore _store;
    private readonly MigratorOptions _options;
    private readonly TimeProvider _clock;
    private readonly RunStatusReader _reader;

    /// <summary>A door to one server and one store; both stay the caller's.</summary>
    /// <param name="gateway">The server that holds the tables.</param>
    /// <param name="store">Where runs and their journals are kept.</param>
    /// <param name="options">What else it works with; null for rebuilds alone.</param>
    public Migrator(ClickHouseGateway gateway, IStore store, MigratorOptions? options = null)
    {
        (_gateway, _store, _options) = (gateway, store, options ?? MigratorOptions.Default);
        _clock = _options.Clock;
        _reader = new RunStatusReader(store, _clock);
        Host = _options.Host(gateway, store);
    }

    /// <summary>The server, as host:port.</summary>
    public string Node => _gateway.Name;

    internal RunHost Host { get; }

    /// <summary>Where every migration is on this instance, each after those that it depends on.</summary>
    public Task<IReadOnlyList<MigrationOverview>> MigrationsAsync(CancellationToken ct = default) => new MigrationLedger(Host).ListAsync(ct);

    /// <summary>Whether the application may be upgraded to a version, and what stands against it.</summary>
    public async Task<UpgradeGate> UpgradeAsync(string version, CancellationToken ct = default)
    {
        var reasons = await UpgradeGate.ReasonsAsync(Host, version, ct);
        return new UpgradeGate(reasons.Count > 0 && (await SettingsAsync(ct)).BlockUpgrade, reasons);
    }

    /// <summary>The definition of a migration; null when there is none of that name.</summary>
    public Migration? FindMigration(string name) => Host.Migrations.Find(name);

    /// <summary>All checks of a migration and the plan that would be run. Changes nothing. The plan is null when a check blocks.</summary>
    /// <exception cref="InvalidRequestException">There is no such migration, or its parameters are wrong.</exception>
    public Task<Proposal> ProposeAsync(MigrationRequest request, RunOptions options, CancellationToken ct = default) =>
        new MigrationPlanner(Host).ProposeAsync(request, options, ct);

    /// <summary>All checks of a rebuild and the plan that would be run. Changes nothing. The plan is null when a check blocks.</summary>
    /// <exception cref="InvalidRequestException">The request itself is wrong.</exception>
    public async Task<Proposal> ProposeAsync(RebuildRequest request, RunOptions options, CancellationToken ct = default)
    {
        var runId = PlanBuilder.NewRunId();
        var (plan, checks) = await new RebuildPlanner(_gateway).ProposeAsync(request, options, runId, ct);
        return new Proposal(plan is null ? null : PlanBuilder.Build(runId, Plan.ByHand, [plan]), await WithRunAsync(request.Table, checks, ct));
    }

    /// <summary>The checks that concern the table whatever it is to become. Changes nothing.</summary>
    public async Task<IReadOnlyList<CheckResult>> DiagnoseAsync(QualifiedName table, CancellationToken ct = default) =>
        await WithRunAsync(table, await new RebuildPlanner(_gateway).DiagnoseAsync(table, ct), ct);

    /// <summary>Stores a run of this plan and returns its id; the run has not begun.</summary>
    /// <exception cref="RunConflictException">Another run is in the way.</exception>
    public async Task<string> CreateRunAsync(Plan plan, RunOptions options, CancellationToken ct = default)
    {
        var run = new RunRecord
        {
            RunId = plan.RunId,
            Migration = plan.Migration,
            Tables = plan.Tables,
            Instance = _gateway.Name,
            Strategy = plan.Strategy,
            State = RunState.NotStarted,
            CreatedAt = _clock.GetUtcNow(),
            Options = JsonSerializer.Serialize(options, PlanFormat.Json),
        };
        await _store.CreateRunAsync(run, plan, ct);
        return plan.RunId;
    }

    /// <summary>
    /// Owns the run and works on it until it is completed, failed, stopped or rolled back. Cancelling <paramref name="ct"/>
    /// stops it as <see cref="StopAsync"/> does: its queries are killed and it stays resumable (state Paused).
    /// </summary>
    /// <param name="runId">The run.</param>
    /// <param name="progress">Is given the status about once a second.</param>
    /// <param name="ct">Stops the run.</param>
    /// <returns>The status at the end.</returns>
    public Task<RunStatus> RunAsync(string runId, IProgress<RunStatus>? progress = null, CancellationToken ct = default) =>
        OwnAsync(runId, RunRequest.None, progress, ct);

    /// <summary>Leaves a run that has not begun to a worker.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="who">Who wants it, for the audit trail.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="WrongStateException">The run has begun.</exception>
    public async Task QueueAsync(string runId, string who, CancellationToken ct = default)
    {
        var run = await RequireStateAsync(runId, "be queued", ct, RunState.NotStarted);
        await _store.AppendAuditAsync(new AuditEntry(_clock.GetUtcNow(), who, "start", run.Subject, $"run {runId}"), ct);
        await _store.PutRequestAsync(runId, RunRequest.Start, ct);
    }

    /// <summary>Every setting as it is now, defaults filled in.</summary>
    public async Task<WorkerSettings> SettingsAsync(CancellationToken ct = default) => WorkerSettings.Read(await _store.GetSettingsAsync(ct));

    /// <summary>Changes a setting; workers obey it from their next look on.</summary>
    /// <param name="name">The setting.</param>
    /// <param name="value">The value as a person writes it; null for the default.</param>
    /// <param name="who">Who does it, for the audit trail.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="InvalidRequestException">There is no such setting, or the value is not good.</exception>
    public async Task SetAsync(string name, string? value, string who, CancellationToken ct = default)
    {
        if (WorkerSettings.Problems(name, value ?? WorkerSettings.Definitions.FirstOrDefault(d => d.Name == name)?.Default ?? "") is { Count: > 0 } problems)
        {
            throw new InvalidRequestException(problems);
        }

        var shown = value is null ? null : WorkerSettings.Shown(name, value);
        await _store.PutSettingAsync(name, value, new AuditEntry(_clock.GetUtcNow(), who, value is null ? "unset" : "set", name, shown), ct);
    }

    /// <summary>Sends a test to everybody whom the setting <c>notify</c> names, once, and says what came of it.</summary>
    /// <param name="who">Who does it; the test says so.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<IReadOnlyList<NotificationTest>> TestNotificationsAsync(string who, CancellationToken ct = default)
    {
        var test = Notification.Test(who, _clock.GetUtcNow());
        return await Task.WhenAll((await SettingsAsync(ct)).Notify.Select(async target =>
        {
            try
            {
                await _options.Delivery.TryAsync(target, test, _clock, ct);
                return new NotificationTest(target.Shown, null);
            }
            catch (NotSentException e)
            {
                return new NotificationTest(target.Shown, $"The test did not reach {target.Shown}: {e.Message.TrimEnd('.')}.");
            }
        }));
    }

    /// <summary>The newest entries of the audit trail, the newest first.</summary>
    public Task<IReadOnlyList<AuditEntry>> AuditAsync(int most, CancellationToken ct = default) => _store.GetAuditAsync(most, ct);

    /// <summary>What is known of a run.</summary>
    /// <exception cref="RunNotFoundException">There is no such run.</exception>
    public Task<RunStatus> StatusAsync(string runId, CancellationToken ct = default) => _reader.ReadAsync(runId, ct);

    /// <summary>All runs, the newest first.</summary>
    public Task<IReadOnlyList<RunRecord>> ListAsync(CancellationToken ct = default) => _store.ListRunsAsync(ct);

    /// <summary>Holds a run: kills its queries and waits until it is Paused.</summary>
    /// <exception cref="WrongStateException">The run is not in a state that can be held.</exception>
    public async Task<RunStatus> PauseAsync(string runId, CancellationToken ct = default)
    {
        await RequireStateAsync(runId, "be paused", ct, RunState.Running, RunState.AwaitingCutover);
        return await SteerAsync(runId, RunRequest.Pause, r => r.State is not (RunState.Running or RunState.AwaitingCutover), null, ct);
    }

    /// <summary>Goes on with a paused, failed or interrupted run: tells its owner, or takes it over and runs it here to its end.</summary>
    /// <exception cref="WrongStateException">The run has ended.</exception>
    public async Task<RunStatus> ResumeAsync(string runId, IProgress<RunStatus>? progress = null, CancellationToken ct = default)
    {
        var run = await RequireStateAsync(
            runId, "be resumed", ct, RunState.NotStarted, RunState.Starting, RunState.Running, RunState.Paused, RunState.AwaitingCutover, RunState.Failed, RunState.NeedsOperator, RunState.RollingBack);
        if (run.State == RunState.Paused)
        {
            return await SteerAsync(runId, RunRequest.Resume, r => r.State != RunState.Paused, progress, ct);
        }

        return await OwnAsync(runId, RunRequest.Resume, progress, ct);
    }

    /// <summary>Kills the queries of a run and makes its owner let go of it; it stays resumable.</summary>
    /// <exception cref="WrongStateException">There is nothing to stop.</exception>
    public async Task<RunStatus> StopAsync(string runId, CancellationToken ct = default)
    {
        await RequireStateAsync(runId, "be stopped", ct, RunState.Running, RunState.Paused, RunState.AwaitingCutover, RunState.RollingBack);
        await SteerAsync(runId, RunRequest.Stop, _ => false, null, ct);
        return await StatusAsync(runId, ct);
    }

    /// <summary>Lets the names change hands in a run that awaits its cutover, here or in the process that owns it, and sees it through.</summary>
    /// <exception cref="WrongStateException">The run does not await its cutover.</exception>
    public async Task<RunStatus> CutOverAsync(string runId, IProgress<RunStatus>? progress = null, CancellationToken ct = default)
    {
        await RequireStateAsync(runId, "be cut over", ct, RunState.AwaitingCutover);
        return await SteerAsync(runId, RunRequest.CutOver, r => r.State is not (RunState.AwaitingCutover or RunState.Running), progress, ct);
    }

    /// <summary>Undoes a run, newest step first, also after completion while the rollback window is open.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="progress">Is given the status about once a second.</param>
    /// <param name="force">Whether it is undone though migrations that depend on it are done or begun.</param>
    /// <param name="ct">Stops it.</param>
    /// <exception cref="WrongStateException">The run cannot be undone, or no longer, or others are built on it.</exception>
    public async Task<RunStatus> RollbackAsync(string runId, IProgress<RunStatus>? progress = null, bool force = false, CancellationToken ct = default)
    {
        var run = await RequireStateAsync(
            runId,
            "be rolled back",
            ct,
            RunState.NotStarted,
            RunState.Starting,
            RunState.Running,
            RunState.Paused,
            RunState.AwaitingCutover,
            RunState.Failed,
            RunState.NeedsOperator,
            RunState.Completed,
            RunState.RollingBack);
        if (run.State == RunState.Completed && !(run.RollbackUntil > _clock.GetUtcNow()))
        {
            throw new WrongStateException(
                run.CleanedUp || run.RollbackUntil is null
                    ? $"Run {runId} is Completed and there is no way back any more: it was cleaned up, or its plan said that there is none."
                    : $"The rollback window of run {runId} ended at {run.RollbackUntil:yyyy-MM-dd HH:mm:ss} UTC. `godwit cleanup {runId}` removes what is left.");
        }

        if (!force && run.State != RunState.RollingBack && await new MigrationLedger(Host).DependentsAsync(run.Migration, ct) is [var dependent, ..])
        {
            throw new WrongStateException($"{dependent.Migration} depends on {run.Migration} and is {dependent.State}: `godwit rollback {dependent.RunId}` first, or give --force to undo this one all the same.");
        }

        return await SteerAsync(
            runId, RunRequest.Rollback, r => r.State is RunState.RolledBack || (r.State is RunState.Failed or RunState.NeedsOperator && r.State != run.State), progress, ct);
    }

    /// <summary>Ends the rollback window of a completed run: drops the retired table and restores the settings.</summary>
    /// <exception cref="WrongStateException">The run is not completed, or was cleaned up before.</exception>
    public async Task<RunStatus> CleanUpAsync(string runId, IProgress<RunStatus>? progress = null, CancellationToken ct = default)
    {
        var run = await RequireStateAsync(runId, "be cleaned up", ct, RunState.Completed);
        return run.CleanedUp
            ? throw new WrongStateException($"Run {runId} was cleaned up before; nothing of it is left.")
            : await OwnAsync(runId, RunRequest.CleanUp, progress, ct);
    }

    /// <summary>Tables that look like an earlier run's leftovers may be those of a run that we know: nobody must be told to drop them.</summary>
    private async Task<IReadOnlyList<CheckResult>> WithRunAsync(QualifiedName table, IReadOnlyList<CheckResult> checks, CancellationToken ct)
    {
        if (!checks.Any(c => c.Check == LeftoversCheck.CheckName && c.Blocks)
            || (await _store.ListRunsAsync(ct)).FirstOrDefault(r => r.Tables.Contains(table.ToString(), StringComparer.Ordinal) && r.Instance == _gateway.Name && !r.CleanedUp && !RunTransitions.IsFinal(r.State)) is not { } run)
        {
            return checks;
        }

        var sentence = run.State == RunState.Completed
            ? $"Run {run.RunId} on {table} is Completed and its old table is kept for a rollback; `godwit cleanup {run.RunId}` ends that."
            : $"Run {run.RunId} on {table} is {run.State}, and its tables are in use; `godwit status {run.RunId}` shows it.";
        return checks.Select(c => c.Check == LeftoversCheck.CheckName ? new CheckResult(c.Check, CheckVerdict.Refused, sentence) : c).ToList();
    }

    internal Notifier NewNotifier(Action<NotificationFailure> failed) => new(_store, _options.Delivery, _clock, failed);

    private async Task<RunStatus> OwnAsync(string runId, RunRequest first, IProgress<RunStatus>? progress, CancellationToken ct)
    {
        await RequireSameServerAsync(runId, ct);
        Func<Task>? beat = progress is null ? null : async () => progress.Report(await StatusAsync(runId, CancellationToken.None));
        await using (var notifier = NewNotifier(f => _options.NotificationFailures?.Report(f)))
        {
            await Runner.RunAsync(Host with { Notifier = notifier }, runId, first, beat, ct);
        }

        return await StatusAsync(runId, CancellationToken.None);
    }

    /// <summary>Asks the owner, and waits until it has answered; does it here when nobody owns the run.</summary>
    private async Task<RunStatus> SteerAsync(
        string runId, RunRequest request, Func<RunRecord, bool> answered, IProgress<RunStatus>? progress, CancellationToken ct)
    {
        if (await IsOwnedAsync(runId, ct))
        {
            await _store.PutRequestAsync(runId, request, ct);
            while (await IsOwnedAsync(runId, ct))
            {
                if (answered(await FindAsync(runId, ct)))
                {
                    return await StatusAsync(runId, ct);
                }

                progress?.Report(await StatusAsync(runId, ct));
                await Task.Delay(TimeSpan.FromMilliseconds(200), _clock, ct);
            }
        }

        // The owner has let go, having done it or having died.
        var run = await FindAsync(runId, ct);
        var done = answered(run) || (request == RunRequest.Stop && run.State is not (RunState.Running or RunState.AwaitingCutover or RunState.RollingBack));
        return done ? await StatusAsync(runId, ct) : await OwnAsync(runId, request, progress, ct);
    }

    private async Task<bool> IsOwnedAsync(string runId, CancellationToken ct) =>
        await _store.FindLeaseAsync(runId, ct) is { } lease && lease.ExpiresAt > _clock.GetUtcNow();

    private async Task<RunRecord> FindAsync(string runId, CancellationToken ct) =>
        await _store.FindRunAsync(runId, ct) ?? throw new RunNotFoundException(runId);

    private async Task<RunRecord> RequireStateAsync(string runId, string verb, CancellationToken ct, params RunState[] states)
    {
        var run = await FindAsync(runId, ct);
        return Array.IndexOf(states, run.State) >= 0
            ? run
            : throw new WrongStateException($"Run {runId} is {run.State}, so it cannot {verb}; only a run that is {string.Join(", ", states)} can.");
    }

    private async Task RequireSameServerAsync(string runId, CancellationToken ct)
    {
        var run = await FindAsync(runId, ct);
        if (run.Instance != _gateway.Name)
        {
            throw new WrongStateException($"Run {runId} belongs to {run.Instance}, not to {_gateway.Name}: give --server for that one.");
        }
    }
}

/// <summary>What <c>Migrator.ProposeAsync</c> found.</summary>
/// <param name="Plan">The plan; null when a check blocks.</param>
/// <param name="Checks">What every check said.</param>
public sealed record Proposal(Plan? Plan, IReadOnlyList<CheckResult> Checks);
