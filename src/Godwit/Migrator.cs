using System.Collections.Concurrent;
using System.Text.Json;
using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Inspection;
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
    private readonly Steering _steering;
    private readonly Inspector _inspector;

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
        _steering = new Steering(Host);
        _inspector = new Inspector(Host);
    }

    /// <summary>The server, as host:port.</summary>
    public string Node => _gateway.Name;

    internal RunHost Host { get; }

    /// <summary>Is set when something was left to a worker, so that one in this process need not wait for its next look.</summary>
    internal Signal Asked { get; } = new();

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
        return new Proposal(plan is null ? null : PlanBuilder.Build(runId, Plan.ByHand, [plan]) with { Warnings = CheckResult.Warnings(checks) }, await WithRunAsync(request.Table, checks, ct));
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
    public async Task<RunStatus> RunAsync(string runId, IProgress<RunStatus>? progress = null, CancellationToken ct = default)
    {
        if (await FindAsync(runId, ct) is { State: RunState.NotStarted } run)
        {
            await AuditAsync(_options.Actor, RunRequest.Start, run, ct);
        }

        return await OwnAsync(runId, RunRequest.None, progress, ct);
    }

    /// <summary>Leaves a run that has not begun to a worker.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="who">Who wants it, for the audit trail.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="WrongStateException">The run has begun.</exception>
    public Task QueueAsync(string runId, Actor who, CancellationToken ct = default) => AskAsync(runId, RunRequest.Start, who, ct: ct);

    /// <summary>
    /// Leaves something to the process that owns a run, or to a worker when none does, and returns at once;
    /// <see cref="RunStatus.Asked"/> says so until it is answered.
    /// </summary>
    /// <param name="runId">The run.</param>
    /// <param name="request">What is asked. To resume a run that has not begun is to start it.</param>
    /// <param name="who">Who wants it, for the audit trail.</param>
    /// <param name="force">Whether a run is rolled back though migrations that depend on it are done or begun.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="WrongStateException">It may not be asked of the run as it is.</exception>
    public async Task<RunStatus> AskAsync(string runId, RunRequest request, Actor who, bool force = false, CancellationToken ct = default)
    {
        var run = await _steering.RequireAsync(runId, request, force, ct);
        RequireSameServer(run);
        await AuditAsync(who, request, run, ct);
        await _store.PutRequestAsync(runId, (run.State, request) == (RunState.NotStarted, RunRequest.Resume) ? RunRequest.Start : request, ct);
        Asked.Set();
        return await StatusAsync(runId, ct);
    }

    /// <summary>
    /// Says how fast a run may copy from now on. Statements that are under way keep their pace: to pause and to resume the run begins them anew.
    /// </summary>
    /// <param name="runId">The run.</param>
    /// <param name="rowsPerSecond">The most rows per second, over all lanes; null for no limit.</param>
    /// <param name="who">Who wants it, for the audit trail.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="InvalidRequestException">The limit is not above 0.</exception>
    /// <exception cref="WrongStateException">The run has ended.</exception>
    public async Task<RunStatus> LimitAsync(string runId, long? rowsPerSecond, Actor who, CancellationToken ct = default)
    {
        if (rowsPerSecond <= 0)
        {
            throw new InvalidRequestException(["The limit must be at least 1 row per second; leave it out for no limit, or pause the run to hold it."]);
        }

        var run = await FindAsync(runId, ct);
        if (RunTransitions.IsFinal(run.State) || run.State == RunState.Completed)
        {
            throw new WrongStateException($"Run {runId} is {run.State}: there is nothing left to slow down.");
        }

        await _store.AppendAuditAsync(who.Did("limit", run.Subject, $"run {runId}: {(rowsPerSecond is { } most ? $"{most} rows/s" : "no limit")}", _clock.GetUtcNow()), ct);
        await _store.PutRowLimitAsync(runId, new RowLimit(rowsPerSecond), ct);
        return await StatusAsync(runId, ct);
    }

    /// <summary>What may be asked of a run as it is.</summary>
    /// <exception cref="RunNotFoundException">There is no such run.</exception>
    public async Task<IReadOnlyList<RunRequest>> ChoicesAsync(string runId, CancellationToken ct = default) =>
        Steering.Of(await FindAsync(runId, ct), await _steering.IsOwnedAsync(runId, ct), _clock.GetUtcNow());

    /// <summary>The frozen plan of a run.</summary>
    /// <exception cref="RunNotFoundException">There is no such run.</exception>
    public async Task<Plan> PlanAsync(string runId, CancellationToken ct = default) => ShownPlan.Of(await _reader.PlanAsync(runId, ct));

    /// <summary>A stretch of the journal of a run, oldest first.</summary>
    /// <inheritdoc cref="IRunStore.GetJournalAsync(string, long, int, CancellationToken)"/>
    public async Task<IReadOnlyList<JournalEntry>> JournalAsync(string runId, long after = 0, int most = 1000, CancellationToken ct = default)
    {
        await FindAsync(runId, ct);
        return await _store.GetJournalAsync(runId, after, most, ct);
    }

    /// <summary>The figures of a run over time, oldest first: closer together in its first minutes than in its later days.</summary>
    /// <inheritdoc cref="IRunStore.GetSamplesAsync"/>
    public async Task<IReadOnlyList<RunSample>> SamplesAsync(string runId, DateTimeOffset? after = null, CancellationToken ct = default)
    {
        await FindAsync(runId, ct);
        return await _store.GetSamplesAsync(runId, after, ct);
    }

    /// <summary>Every setting as it is now, defaults filled in.</summary>
    public async Task<WorkerSettings> SettingsAsync(CancellationToken ct = default) => WorkerSettings.Read(await _store.GetSettingsAsync(ct));

    /// <summary>Changes a setting; workers obey it from their next look on.</summary>
    /// <param name="name">The setting.</param>
    /// <param name="value">The value as a person writes it; null for the default.</param>
    /// <param name="who">Who does it, for the audit trail.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="InvalidRequestException">There is no such setting, or the value is not good.</exception>
    public async Task SetAsync(string name, string? value, Actor who, CancellationToken ct = default)
    {
        if (WorkerSettings.Problems(name, value ?? WorkerSettings.Definitions.FirstOrDefault(d => d.Name == name)?.Default ?? "") is { Count: > 0 } problems)
        {
            throw new InvalidRequestException(problems);
        }

        var shown = value is null ? null : WorkerSettings.Shown(name, value);
        await _store.PutSettingAsync(name, value, who.Did(value is null ? "unset" : "set", name, shown, _clock.GetUtcNow()), ct);
        Asked.Set();
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

    /// <summary>Entries of the audit trail, the newest first.</summary>
    /// <inheritdoc cref="ISettingsStore.GetAuditAsync"/>
    public Task<IReadOnlyList<AuditEntry>> AuditAsync(int most, long? before = null, CancellationToken ct = default) => _store.GetAuditAsync(most, before, ct);

    /// <summary>Keeps something that somebody did outside of runs and settings, such as to make a user.</summary>
    public Task RecordAsync(Actor who, string action, string subject, string? details = null, CancellationToken ct = default) =>
        _store.AppendAuditAsync(who.Did(action, subject, details, _clock.GetUtcNow()), ct);

    /// <summary>What is known of a run.</summary>
    /// <exception cref="RunNotFoundException">There is no such run.</exception>
    public Task<RunStatus> StatusAsync(string runId, CancellationToken ct = default) => _reader.ReadAsync(runId, ct);

    /// <summary>All runs, the newest first.</summary>
    public Task<IReadOnlyList<RunRecord>> ListAsync(CancellationToken ct = default) => _store.ListRunsAsync(ct);

    /// <summary>Holds a run: kills its queries and waits until it is Paused.</summary>
    /// <exception cref="WrongStateException">The run is not in a state that can be held.</exception>
    public async Task<RunStatus> PauseAsync(string runId, CancellationToken ct = default)
    {
        await BeginAsync(runId, RunRequest.Pause, false, ct);
        return await SteerAsync(runId, RunRequest.Pause, r => r.State is not (RunState.Running or RunState.AwaitingCutover), null, ct);
    }

    /// <summary>Goes on with a paused, failed or interrupted run: tells its owner, or takes it over and runs it here to its end.</summary>
    /// <exception cref="WrongStateException">The run has ended.</exception>
    public async Task<RunStatus> ResumeAsync(string runId, IProgress<RunStatus>? progress = null, CancellationToken ct = default) =>
        (await BeginAsync(runId, RunRequest.Resume, false, ct)).State == RunState.Paused
            ? await SteerAsync(runId, RunRequest.Resume, r => r.State != RunState.Paused, progress, ct)
            : await OwnAsync(runId, RunRequest.Resume, progress, ct);

    /// <summary>Kills the queries of a run and makes its owner let go of it; it stays resumable.</summary>
    /// <exception cref="WrongStateException">There is nothing to stop.</exception>
    public async Task<RunStatus> StopAsync(string runId, CancellationToken ct = default)
    {
        await BeginAsync(runId, RunRequest.Stop, false, ct);
        await SteerAsync(runId, RunRequest.Stop, _ => false, null, ct);
        return await StatusAsync(runId, ct);
    }

    /// <summary>Lets the names change hands in a run that awaits its cutover, here or in the process that owns it, and sees it through.</summary>
    /// <exception cref="WrongStateException">The run does not await its cutover.</exception>
    public async Task<RunStatus> CutOverAsync(string runId, IProgress<RunStatus>? progress = null, CancellationToken ct = default)
    {
        await BeginAsync(runId, RunRequest.CutOver, false, ct);
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
        var run = await BeginAsync(runId, RunRequest.Rollback, force, ct);
        return await SteerAsync(
            runId, RunRequest.Rollback, r => r.State is RunState.RolledBack || (r.State is RunState.Failed or RunState.NeedsOperator && r.State != run.State), progress, ct);
    }

    /// <summary>Ends the rollback window of a completed run: drops the retired table and restores the settings.</summary>
    /// <exception cref="WrongStateException">The run is not completed, or was cleaned up before.</exception>
    public async Task<RunStatus> CleanUpAsync(string runId, IProgress<RunStatus>? progress = null, CancellationToken ct = default)
    {
        await BeginAsync(runId, RunRequest.CleanUp, false, ct);
        return await OwnAsync(runId, RunRequest.CleanUp, progress, ct);
    }

    /// <summary>Every node of the cluster, or the one server, as it is now. A node that is away is an entry that says so.</summary>
    public Task<IReadOnlyList<NodeStatus>> NodesAsync(CancellationToken ct = default) => _inspector.NodesAsync(ct);

    /// <summary>Tables of the server, the largest first, without the server's and Godwit's own.</summary>
    /// <param name="filter">Which ones.</param>
    /// <param name="most">How many at most.</param>
    /// <param name="offset">How many of the largest to leave out.</param>
    /// <param name="ct">Cancels.</param>
    public Task<TablePage> TablesAsync(TableFilter filter, int most, int offset = 0, CancellationToken ct = default) => _inspector.TablesAsync(filter, most, offset, ct);

    /// <summary>Everything about one table; null when there is none of that name.</summary>
    public Task<TableDetail?> TableAsync(QualifiedName table, CancellationToken ct = default) => _inspector.TableAsync(table, ct);

    /// <summary>The queries on a table that the server's log holds of the last days.</summary>
    public Task<Workload> WorkloadAsync(QualifiedName table, int days = 7, CancellationToken ct = default) => _inspector.WorkloadAsync(table, days, ct);

    /// <summary>How well the present key of a table, and other columns, tell its rows apart.</summary>
    /// <param name="table">The table.</param>
    /// <param name="candidates">The other columns; empty for those in the conditions of the workload.</param>
    /// <param name="days">How far back the workload goes.</param>
    /// <param name="ct">Cancels.</param>
    public Task<KeySelectivity> KeySelectivityAsync(QualifiedName table, IReadOnlyList<string> candidates, int days = 7, CancellationToken ct = default) =>
        _inspector.SelectivityAsync(table, candidates, days, ct);

    /// <summary>Sorting keys that would serve the workload of a table better than its present one.</summary>
    public Task<KeyProposals> SuggestKeysAsync(QualifiedName table, int days = 7, CancellationToken ct = default) => _inspector.SuggestKeysAsync(table, days, ct);

    /// <summary>
    /// Which queries of the log a rebuild makes faster or slower, and what disk and time it takes, measured on a sample in temporary tables. Takes
    /// seconds to a few minutes.
    /// </summary>
    /// <param name="request">The rebuild.</param>
    /// <param name="days">How far back the workload goes.</param>
    /// <param name="ct">Cancels; the sample is dropped.</param>
    /// <exception cref="InvalidRequestException">The request itself is wrong.</exception>
    public Task<RebuildEstimate> EstimateAsync(RebuildRequest request, int days = 7, CancellationToken ct = default) => _inspector.EstimateAsync(request, days, ct);

    /// <summary>
    /// How two tables of the server differ: rows by partition, by day and by columns, unique ids, the newest moment. The server reads the columns that
    /// are counted by, once for each, which takes its time for billions of rows.
    /// </summary>
    /// <param name="request">What is compared, and by what.</param>
    /// <param name="ct">Cancels; the statement is killed on the server.</param>
    /// <exception cref="InvalidRequestException">There is no such table or column, or the condition is no expression.</exception>
    public Task<Comparison> CompareAsync(ComparisonRequest request, CancellationToken ct = default) => _inspector.CompareAsync(request, ct);

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
        RequireSameServer(await FindAsync(runId, ct));
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
        if (await _steering.IsOwnedAsync(runId, ct))
        {
            await _store.PutRequestAsync(runId, request, ct);
            while (await _steering.IsOwnedAsync(runId, ct))
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

    private async Task<RunRecord> FindAsync(string runId, CancellationToken ct) =>
        await _store.FindRunAsync(runId, ct) ?? throw new RunNotFoundException(runId);

    private async Task<RunRecord> BeginAsync(string runId, RunRequest request, bool force, CancellationToken ct)
    {
        var run = await _steering.RequireAsync(runId, request, force, ct);
        await AuditAsync(_options.Actor, request, run, ct);
        return run;
    }

    private Task AuditAsync(Actor who, RunRequest request, RunRecord run, CancellationToken ct) => _store.AppendAuditAsync(
        who.Did(request.ToString().ToLowerInvariant(), run.Subject, $"run {run.RunId}, {run.State}", _clock.GetUtcNow()), ct);

    private void RequireSameServer(RunRecord run)
    {
        if (run.Instance != _gateway.Name)
        {
            throw new WrongStateException($"Run {run.RunId} belongs to {run.Instance}, not to {_gateway.Name}: give --server for that one.");
        }
    }
}

/// <summary>What <c>Migrator.ProposeAsync</c> found.</summary>
/// <param name="Plan">The plan; null when a check blocks.</param>
/// <param name="Checks">What every check said.</param>
public sealed record Proposal(Plan? Plan, IReadOnlyList<CheckResult> Checks);
