using Godwit.Checks;
using Godwit.Cli;
using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Notifications;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Runs;
using Godwit.Tests.Metadata;
using Godwit.Workers;

namespace Godwit.Tests.Cli;

/// <summary>Answers every verb with one status, and remembers what it was asked.</summary>
internal sealed class FakeMigrator : IMigrator
{
    public RunStatus Status { get; set; } = CliSamples.Status();

    public Exception? Throws { get; set; }

    public IReadOnlyList<RunRecord> Runs { get; set; } = [StoreSamples.Run("k3f9a2b1", state: RunState.Running), StoreSamples.Run("k3zzzzzz")];

    public Proposal Proposal { get; set; } = new(StoreSamples.Plan(), [new CheckResult("free-disk", CheckVerdict.Ok, "There is room.")]);

    public IReadOnlyList<CheckResult> Checks { get; set; } = [new CheckResult("free-disk", CheckVerdict.Ok, "There is room.")];

    public List<string> Calls { get; } = [];

    public ClickHouseOptions? Server { get; private set; }

    public string? StateFile { get; private set; }

    public MigratorOptions? MigratorOptions { get; private set; }

    public MigrationRequest? MigrationRequest { get; private set; }

    public IReadOnlyList<MigrationOverview> Migrations { get; set; } = [];

    public RebuildRequest? Request { get; private set; }

    public RunOptions? Options { get; private set; }

    public Task<IMigrator> OpenAsync(ClickHouseOptions server, string stateFile, bool create, MigratorOptions options, CancellationToken ct)
    {
        (Server, StateFile, MigratorOptions) = (server, stateFile, options);
        return Task.FromResult<IMigrator>(this);
    }

    public Task<Proposal> ProposeAsync(RebuildRequest request, RunOptions options, CancellationToken ct)
    {
        (Request, Options) = (request, options);
        return Answer(Proposal, "propose");
    }

    public Task<Proposal> ProposeAsync(MigrationRequest request, RunOptions options, CancellationToken ct)
    {
        (MigrationRequest, Options) = (request, options);
        return Answer(Proposal, "propose");
    }

    public Migration? FindMigration(string name) => MigratorOptions?.Migrations.Find(name);

    public Task<IReadOnlyList<MigrationOverview>> MigrationsAsync(CancellationToken ct) => Answer(Migrations, "migrations");

    public Task<UpgradeGate> UpgradeAsync(string version, CancellationToken ct) => Answer(new UpgradeGate(false, []), "upgrade");

    public Task QueueAsync(string runId, Actor who, CancellationToken ct) => Answer(runId, $"queue {runId}");

    public Task<WorkerSettings> SettingsAsync(CancellationToken ct) => Answer(WorkerSettings.Read(new Dictionary<string, string>()), "settings");

    public Task SetAsync(string name, string? value, Actor who, CancellationToken ct) => Answer(name, $"set {name} {value}");

    public Task<IReadOnlyList<AuditEntry>> AuditAsync(int most, CancellationToken ct) => Answer<IReadOnlyList<AuditEntry>>([], "audit");

    public IReadOnlyList<NotificationTest> NotificationTests { get; set; } = [];

    public Task<IReadOnlyList<NotificationTest>> TestNotificationsAsync(string who, CancellationToken ct) => Answer(NotificationTests, "test");

    public Task WorkAsync(IProgress<WorkerEvent> events, CancellationToken ct) => Answer("", "work");

    public Task<IReadOnlyList<CheckResult>> DiagnoseAsync(QualifiedName table, CancellationToken ct) => Answer(Checks, $"diagnose {table}");

    public Comparison Comparison { get; set; } = CliSamples.Comparison();

    public ComparisonRequest? ComparisonRequest { get; private set; }

    public Task<Comparison> CompareAsync(ComparisonRequest request, CancellationToken ct)
    {
        ComparisonRequest = request;
        return Answer(Comparison, "compare");
    }

    public Task<string> CreateRunAsync(Plan plan, RunOptions options, CancellationToken ct) => Answer("k3f9a2b1", "create");

    public Task<RunStatus> RunAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct) => Work(runId, "run", progress);

    public Task<RunStatus> StatusAsync(string runId, CancellationToken ct) => Answer(Status, $"status {runId}");

    public Task<IReadOnlyList<RunRecord>> ListAsync(CancellationToken ct) => Task.FromResult(Runs);

    public Task<RunStatus> PauseAsync(string runId, CancellationToken ct) => Answer(Status, $"pause {runId}");

    public Task<RunStatus> ResumeAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct) => Work(runId, "resume", progress);

    public Task<RunStatus> StopAsync(string runId, CancellationToken ct) => Answer(Status, $"stop {runId}");

    public Task<RunStatus> LimitAsync(string runId, long? rowsPerSecond, CancellationToken ct) => Answer(Status, $"limit {runId} {rowsPerSecond?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"}");

    public Task<RunStatus> CutOverAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct) => Work(runId, "cutover", progress);

    public Task<RunStatus> RollbackAsync(string runId, IProgress<RunStatus>? progress, bool force, CancellationToken ct) => Work(runId, "rollback", progress);

    public Task<RunStatus> CleanUpAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct) => Work(runId, "cleanup", progress);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task<RunStatus> Work(string runId, string call, IProgress<RunStatus>? progress)
    {
        progress?.Report(Status with { State = RunState.Running });
        return Answer(Status, $"{call} {runId}");
    }

    private Task<T> Answer<T>(T value, string call)
    {
        Calls.Add(call);
        return Throws is null ? Task.FromResult(value) : Task.FromException<T>(Throws);
    }
}
