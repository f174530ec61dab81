using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit;

/// <summary>
/// The one door to Godwit: make a plan, run it, steer it. The command line, the server and programs that embed Godwit all
/// call this class and nothing behind it.
/// </summary>
/// <param name="gateway">The server that holds the tables.</param>
/// <param name="store">Where runs and their journals are kept.</param>
/// <param name="clock">The clock; the system's when null.</param>
public sealed class Migrator(ClickHouseGateway gateway, IRunStore store, TimeProvider? clock = null)
{
    private TimeProvider Clock { get; } = clock ?? TimeProvider.System;

    /// <summary>The server, as host:port.</summary>
    public string Node => gateway.Name;

    /// <summary>All checks of a rebuild and the plan that would be run. Changes nothing. The plan is null when a check blocks.</summary>
    /// <exception cref="InvalidRequestException">The request itself is wrong.</exception>
    public Task<RebuildProposal> ProposeAsync(RebuildRequest request, RunOptions options, CancellationToken ct = default) =>
        throw new NotSupportedException();

    /// <summary>The checks that concern the table whatever it is to become. Changes nothing.</summary>
    public Task<IReadOnlyList<CheckResult>> DiagnoseAsync(QualifiedName table, CancellationToken ct = default) =>
        throw new NotSupportedException();

    /// <summary>Stores a run of this plan and returns its id; the run has not begun.</summary>
    /// <exception cref="RunConflictException">Another run is in the way.</exception>
    public Task<string> CreateRunAsync(Plan plan, RunOptions options, CancellationToken ct = default) => throw new NotSupportedException();

    /// <summary>
    /// Owns the run and works on it until it is completed, failed, stopped or rolled back. Cancelling <paramref name="ct"/>
    /// stops it as <see cref="StopAsync"/> does: its queries are killed and it stays resumable (state Paused).
    /// </summary>
    /// <param name="runId">The run.</param>
    /// <param name="progress">Is given the status about once a second.</param>
    /// <param name="ct">Stops the run.</param>
    /// <returns>The status at the end.</returns>
    public Task<RunStatus> RunAsync(string runId, IProgress<RunStatus>? progress = null, CancellationToken ct = default) =>
        throw new NotSupportedException();

    /// <summary>What is known of a run.</summary>
    /// <exception cref="RunNotFoundException">There is no such run.</exception>
    public Task<RunStatus> StatusAsync(string runId, CancellationToken ct = default) => throw new NotSupportedException();

    /// <summary>All runs, the newest first.</summary>
    public Task<IReadOnlyList<RunRecord>> ListAsync(CancellationToken ct = default) => store.ListRunsAsync(ct);

    /// <summary>Holds a run: kills its queries and waits until the owner says Paused.</summary>
    /// <exception cref="WrongStateException">The run is not in a state that can be held.</exception>
    public Task<RunStatus> PauseAsync(string runId, CancellationToken ct = default) => throw new NotSupportedException();

    /// <summary>Goes on with a paused, failed or interrupted run: tells its owner, or takes it over and runs it here to its end.</summary>
    public Task<RunStatus> ResumeAsync(string runId, IProgress<RunStatus>? progress = null, CancellationToken ct = default) =>
        throw new NotSupportedException();

    /// <summary>Kills the queries of a run and makes its owner let go of it; it stays resumable.</summary>
    public Task<RunStatus> StopAsync(string runId, CancellationToken ct = default) => throw new NotSupportedException();

    /// <summary>Lets the names change hands in a run that awaits its cutover, here or in the process that owns it, and sees it through.</summary>
    public Task<RunStatus> CutOverAsync(string runId, IProgress<RunStatus>? progress = null, CancellationToken ct = default) =>
        throw new NotSupportedException();

    /// <summary>Undoes a run, newest step first, also after completion while the rollback window is open.</summary>
    public Task<RunStatus> RollbackAsync(string runId, IProgress<RunStatus>? progress = null, CancellationToken ct = default) =>
        throw new NotSupportedException();

    /// <summary>Ends the rollback window of a completed run: drops the retired table and restores the settings.</summary>
    public Task<RunStatus> CleanUpAsync(string runId, IProgress<RunStatus>? progress = null, CancellationToken ct = default) =>
        throw new NotSupportedException();
}

/// <summary>What <see cref="Migrator.ProposeAsync"/> found.</summary>
/// <param name="Plan">The plan; null when a check blocks.</param>
/// <param name="Checks">What every check said.</param>
public sealed record RebuildProposal(Plan? Plan, IReadOnlyList<CheckResult> Checks);
