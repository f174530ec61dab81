using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Cli;

/// <summary>What the verbs use of <see cref="Migrator"/>. A seam for tests of the verbs, which need no server then; see there for the meaning.</summary>
internal interface IMigrator : IAsyncDisposable
{
    Task<Proposal> ProposeAsync(RebuildRequest request, RunOptions options, CancellationToken ct);

    Task<Proposal> ProposeAsync(MigrationRequest request, RunOptions options, CancellationToken ct);

    Task<IReadOnlyList<MigrationOverview>> MigrationsAsync(CancellationToken ct);

    Task<IReadOnlyList<CheckResult>> DiagnoseAsync(QualifiedName table, CancellationToken ct);

    Task<string> CreateRunAsync(Plan plan, RunOptions options, CancellationToken ct);

    Task<RunStatus> RunAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct);

    Task<RunStatus> StatusAsync(string runId, CancellationToken ct);

    Task<IReadOnlyList<RunRecord>> ListAsync(CancellationToken ct);

    Task<RunStatus> PauseAsync(string runId, CancellationToken ct);

    Task<RunStatus> ResumeAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct);

    Task<RunStatus> StopAsync(string runId, CancellationToken ct);

    Task<RunStatus> CutOverAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct);

    Task<RunStatus> RollbackAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct);

    Task<RunStatus> CleanUpAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct);
}

/// <summary>The real one, with the gateway and the store that it owns.</summary>
internal sealed class OwnedMigrator(ClickHouseGateway gateway, IRunStore store, MigratorOptions options) : IMigrator
{
    private readonly Migrator _migrator = new(gateway, store, options);

    public Task<Proposal> ProposeAsync(RebuildRequest request, RunOptions options, CancellationToken ct) =>
        _migrator.ProposeAsync(request, options, ct);

    public Task<Proposal> ProposeAsync(MigrationRequest request, RunOptions options, CancellationToken ct) =>
        _migrator.ProposeAsync(request, options, ct);

    public Task<IReadOnlyList<MigrationOverview>> MigrationsAsync(CancellationToken ct) => _migrator.MigrationsAsync(ct);

    public Task<IReadOnlyList<CheckResult>> DiagnoseAsync(QualifiedName table, CancellationToken ct) => _migrator.DiagnoseAsync(table, ct);

    public Task<string> CreateRunAsync(Plan plan, RunOptions options, CancellationToken ct) => _migrator.CreateRunAsync(plan, options, ct);

    public Task<RunStatus> RunAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct) =>
        _migrator.RunAsync(runId, progress, ct);

    public Task<RunStatus> StatusAsync(string runId, CancellationToken ct) => _migrator.StatusAsync(runId, ct);

    public Task<IReadOnlyList<RunRecord>> ListAsync(CancellationToken ct) => _migrator.ListAsync(ct);

    public Task<RunStatus> PauseAsync(string runId, CancellationToken ct) => _migrator.PauseAsync(runId, ct);

    public Task<RunStatus> ResumeAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct) =>
        _migrator.ResumeAsync(runId, progress, ct);

    public Task<RunStatus> StopAsync(string runId, CancellationToken ct) => _migrator.StopAsync(runId, ct);

    public Task<RunStatus> CutOverAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct) =>
        _migrator.CutOverAsync(runId, progress, ct);

    public Task<RunStatus> RollbackAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct) =>
        _migrator.RollbackAsync(runId, progress, ct);

    public Task<RunStatus> CleanUpAsync(string runId, IProgress<RunStatus>? progress, CancellationToken ct) =>
        _migrator.CleanUpAsync(runId, progress, ct);

    public async ValueTask DisposeAsync()
    {
        gateway.Dispose();
        await store.DisposeAsync();
    }
}
