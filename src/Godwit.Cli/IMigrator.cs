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

namespace Godwit.Cli;

/// <summary>What the verbs use of <see cref="Migrator"/>. A seam for tests of the verbs, which need no server then; see there for the meaning.</summary>
internal interface IMigrator : IAsyncDisposable
{
    Task<Proposal> ProposeAsync(RebuildRequest request, RunOptions options, CancellationToken ct);

    Task<Proposal> ProposeAsync(MigrationRequest request, RunOptions options, CancellationToken ct);

    Task<IReadOnlyList<MigrationOverview>> MigrationsAsync(CancellationToken ct);

    Migration? FindMigration(string name);

    Task<UpgradeGate> UpgradeAsync(string version, CancellationToken ct);

    Task QueueAsync(string runId, Actor who, CancellationToken ct);

    Task<WorkerSettings> SettingsAsync(CancellationToken ct);

    Task SetAsync(string name, string? value, Actor who, CancellationToken ct);

    Task<IReadOnlyList<AuditEntry>> AuditAsync(int most, CancellationToken ct);

    Task<IReadOnlyList<NotificationTest>> TestNotificationsAsync(string who, CancellationToken ct);

    Task WorkAsync(IProgress<WorkerEvent> events, CancellationToken ct);

    Task<IReadOnlyList<CheckResult>> DiagnoseAsync(QualifiedName table, CancellationToken ct);

    Task<Comparison> CompareAsync(ComparisonRequest request, CancellationToken ct);

    Task<string> CreateRunAsync(Plan plan, RunOptions options, CancellationToken ct);

    Task<RunStatus> RunAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct);

    Task<RunStatus> StatusAsync(string runId, CancellationToken ct);

    Task<IReadOnlyList<RunRecord>> ListAsync(CancellationToken ct);

    Task<RunStatus> PauseAsync(string runId, CancellationToken ct);

    Task<RunStatus> ResumeAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct);

    Task<RunStatus> StopAsync(string runId, CancellationToken ct);

    Task<RunStatus> LimitAsync(string runId, long? rowsPerSecond, CancellationToken ct);

    Task<RunStatus> CutOverAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct);

    Task<RunStatus> RollbackAsync(string runId, IProgress<RunStatus>? progress, bool force, CancellationToken ct);

    Task<RunStatus> CleanUpAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct);
}

/// <summary>The real one, with the gateway and the store that it owns.</summary>
internal sealed class OwnedMigrator(ClickHouseGateway gateway, IStore store, MigratorOptions options) : IMigrator
{
    private readonly Migrator _migrator = new(gateway, store, options);

    public Task<Proposal> ProposeAsync(RebuildRequest request, RunOptions options, CancellationToken ct) =>
        _migrator.ProposeAsync(request, options, ct);

    public Task<Proposal> ProposeAsync(MigrationRequest request, RunOptions options, CancellationToken ct) =>
        _migrator.ProposeAsync(request, options, ct);

    public Task<IReadOnlyList<MigrationOverview>> MigrationsAsync(CancellationToken ct) => _migrator.MigrationsAsync(ct);

    public Migration? FindMigration(string name) => _migrator.FindMigration(name);

    public Task<UpgradeGate> UpgradeAsync(string version, CancellationToken ct) => _migrator.UpgradeAsync(version, ct);

    public Task QueueAsync(string runId, Actor who, CancellationToken ct) => _migrator.QueueAsync(runId, who, ct);

    public Task<WorkerSettings> SettingsAsync(CancellationToken ct) => _migrator.SettingsAsync(ct);

    public Task SetAsync(string name, string? value, Actor who, CancellationToken ct) => _migrator.SetAsync(name, value, who, ct);

    public Task<IReadOnlyList<AuditEntry>> AuditAsync(int most, CancellationToken ct) => _migrator.AuditAsync(most, ct: ct);

    public Task<IReadOnlyList<NotificationTest>> TestNotificationsAsync(string who, CancellationToken ct) => _migrator.TestNotificationsAsync(who, ct);

    public Task WorkAsync(IProgress<WorkerEvent> events, CancellationToken ct) => new Worker(_migrator, events).RunAsync(ct);

    public Task<IReadOnlyList<CheckResult>> DiagnoseAsync(QualifiedName table, CancellationToken ct) => _migrator.DiagnoseAsync(table, ct);

    public Task<Comparison> CompareAsync(ComparisonRequest request, CancellationToken ct) => _migrator.CompareAsync(request, ct);

    public Task<string> CreateRunAsync(Plan plan, RunOptions options, CancellationToken ct) => _migrator.CreateRunAsync(plan, options, ct);

    public Task<RunStatus> RunAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct) =>
        _migrator.RunAsync(runId, progress, ct);

    public Task<RunStatus> StatusAsync(string runId, CancellationToken ct) => _migrator.StatusAsync(runId, ct);

    public Task<IReadOnlyList<RunRecord>> ListAsync(CancellationToken ct) => _migrator.ListAsync(ct);

    public Task<RunStatus> PauseAsync(string runId, CancellationToken ct) => _migrator.PauseAsync(runId, ct);

    public Task<RunStatus> ResumeAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct) =>
        _migrator.ResumeAsync(runId, progress, ct);

    public Task<RunStatus> StopAsync(string runId, CancellationToken ct) => _migrator.StopAsync(runId, ct);

    public Task<RunStatus> LimitAsync(string runId, long? rowsPerSecond, CancellationToken ct) => _migrator.LimitAsync(runId, rowsPerSecond, options.Actor, ct);

    public Task<RunStatus> CutOverAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct) =>
        _migrator.CutOverAsync(runId, progress, ct);

    public Task<RunStatus> RollbackAsync(string runId, IProgress<RunStatus>? progress, bool force, CancellationToken ct) =>
        _migrator.RollbackAsync(runId, progress, force, ct);

    public Task<RunStatus> CleanUpAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct) =>
        _migrator.CleanUpAsync(runId, progress, ct);

    public async ValueTask DisposeAsync()
    {
        gateway.Dispose();
        await (options.PostgreSql?.DisposeAsync() ?? ValueTask.CompletedTask);
        await store.DisposeAsync();
    }
}
