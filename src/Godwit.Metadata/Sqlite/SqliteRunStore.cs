using Dapper;
using Godwit.Plans;
using Godwit.Runs;
using Microsoft.Data.Sqlite;

namespace Godwit.Metadata.Sqlite;

/// <summary>
/// Runs in one SQLite file, the default. Several processes may use the file at once: a run in one terminal, `status` and
/// `pause` in others. The file must be on a local disk.
/// </summary>
/// <example><code>await using var store = await SqliteRunStore.OpenAsync("/var/lib/godwit/state.db");</code></example>
public sealed class SqliteRunStore : IRunStore
{
    private static readonly TimeSpan DefaultBusyWait = TimeSpan.FromSeconds(5);
    private readonly SqliteDatabase _database;
    private readonly TimeProvider _clock;

    private SqliteRunStore(SqliteDatabase database, TimeProvider clock) => (_database, _clock) = (database, clock);

    /// <summary>
    /// Opens a state file, and upgrades it in place when an older Godwit wrote it. A new file can be read by its user only.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="clock">The clock that leases run by.</param>
    /// <param name="create">Whether to make the file, and its folders, when there is none.</param>
    /// <param name="ct">Gives up before the file is touched.</param>
    /// <exception cref="StoreException">There is no file, it is not one of Godwit's, is too new, or cannot be written to.</exception>
    public static Task<SqliteRunStore> OpenAsync(
        string path, TimeProvider? clock = null, bool create = true, CancellationToken ct = default) =>
        OpenAsync(path, clock, create, DefaultBusyWait, ct);

    internal static Task<SqliteRunStore> OpenAsync(
        string path, TimeProvider? clock, bool create, TimeSpan busyWait, CancellationToken ct)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        // SQLite waits for locks by blocking, which a caller may do without.
        return Task.Run(
            () =>
            {
                var full = Path.GetFullPath(path);
                SqliteFile.Ensure(full, create);
                return new SqliteRunStore(SqliteDatabase.Open(full, busyWait), clock ?? TimeProvider.System);
            },
            ct);
    }

    /// <inheritdoc/>
    public Task CreateRunAsync(RunRecord run, Plan plan, CancellationToken ct = default)
    {
        var text = PlanFormat.Serialize(plan);
        return _database.WriteAsync(
            tx =>
            {
                var others = tx.Runs();
                if (others.Any(o => o.RunId == run.RunId))
                {
                    throw new RunConflictException($"There is a run {run.RunId} already: `godwit status {run.RunId}` shows it.", run.RunId);
                }

                RunConflicts.RefuseStart(run, others);
                return tx.InsertRun(run, plan, text);
            },
            ct);
    }

    /// <inheritdoc/>
    public Task<RunRecord?> FindRunAsync(string runId, CancellationToken ct = default) => _database.ReadAsync(
        db => db.QuerySingleOrDefault<RunRow>($"SELECT {RunRow.Columns} FROM runs WHERE run_id = @runId", new { runId })?.ToRecord(), ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RunRecord>> ListRunsAsync(CancellationToken ct = default) => ListAsync<RunRow, RunRecord>(
        $"SELECT {RunRow.Columns} FROM runs ORDER BY created_at DESC, rowid DESC", "", row => row.ToRecord(), ct);

    /// <inheritdoc/>
    public async Task<Plan> GetPlanAsync(string runId, CancellationToken ct = default)
    {
        var (body, checksum) = await _database.ReadAsync(
            db => db.QuerySingleOrDefault<(string? Body, string? Checksum)>("SELECT body, checksum FROM plans WHERE run_id = @runId", new { runId }),
            ct);
        return body is null || checksum is null ? throw new RunNotFoundException(runId) : PlanFormat.Deserialize(body, checksum);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<StepRecord>> GetStepsAsync(string runId, CancellationToken ct = default) => ListAsync<StepRow, StepRecord>(
        "SELECT run_id AS RunId, step AS Step, state AS State, rows_done AS RowsDone, attempts AS Attempts FROM steps "
        + "WHERE run_id = @runId ORDER BY step",
        runId, row => row.ToRecord(), ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<JournalEntry>> GetJournalAsync(string runId, CancellationToken ct = default) => ListAsync<JournalRow, JournalEntry>(
        "SELECT run_id AS RunId, sequence AS Sequence, step AS Step, kind AS Kind, name AS Name, payload AS Payload, at AS At FROM journal "
        + "WHERE run_id = @runId ORDER BY sequence",
        runId, row => row.ToRecord(), ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RunError>> GetErrorsAsync(string runId, CancellationToken ct = default) => ListAsync<ErrorRow, RunError>(
        "SELECT run_id AS RunId, step AS Step, message AS Message, details AS Details, at AS At FROM errors WHERE run_id = @runId ORDER BY id",
        runId, row => row.ToRecord(), ct);

    /// <inheritdoc/>
    public Task<Lease> AcquireLeaseAsync(string runId, string owner, TimeSpan duration, CancellationToken ct = default) => _database.WriteAsync(
        tx =>
        {
            tx.RequireRun(runId);
            var last = tx.Connection!.FindLease(runId);
            var now = _clock.GetUtcNow();
            if (last?.ToLease() is { } held && held.ExpiresAt > now)
            {
                throw new LeaseHeldException(held);
            }

            var taken = new Lease(runId, owner, (last?.Epoch ?? 0) + 1, ToMilliseconds(now + duration));
            tx.PutLease(taken);
            return taken;
        },
        ct);

    /// <inheritdoc/>
    public Task<Lease?> FindLeaseAsync(string runId, CancellationToken ct = default) =>
        _database.ReadAsync(db => db.FindLease(runId)?.ToLease(), ct);

    /// <inheritdoc/>
    public Task<Lease> RenewLeaseAsync(Lease lease, TimeSpan duration, string? progress, CancellationToken ct = default) => FencedAsync(
        lease,
        lease.RunId,
        tx =>
        {
            var renewed = lease with { ExpiresAt = ToMilliseconds(_clock.GetUtcNow() + duration) };
            tx.PutLease(renewed);
            if (progress is not null)
            {
                tx.Change("UPDATE runs SET progress = @progress WHERE run_id = @RunId", new { lease.RunId, progress });
            }

            return renewed;
        },
        ct);

    /// <inheritdoc/>
    public Task ReleaseLeaseAsync(Lease lease, CancellationToken ct = default) => FencedAsync(
        lease, lease.RunId, tx => tx.Change("UPDATE leases SET owner = NULL WHERE run_id = @RunId", lease), ct);

    /// <inheritdoc/>
    public Task UpdateRunAsync(Lease lease, RunRecord run, CancellationToken ct = default) => FencedAsync(
        lease,
        run.RunId,
        tx =>
        {
            RunConflicts.RefuseTransition(tx.State(run.RunId), run, tx.Runs);
            return tx.UpdateRun(run);
        },
        ct);

    /// <inheritdoc/>
    public Task UpdateStepAsync(Lease lease, StepRecord step, CancellationToken ct = default) =>
        FencedAsync(lease, step.RunId, tx => tx.UpdateStep(step), ct);

    /// <inheritdoc/>
    public Task<JournalEntry> AppendJournalAsync(Lease lease, JournalEntry entry, CancellationToken ct = default) =>
        FencedAsync(lease, entry.RunId, tx => tx.AppendJournal(entry), ct);

    /// <inheritdoc/>
    public Task AppendErrorAsync(Lease lease, RunError error, CancellationToken ct = default) =>
        FencedAsync(lease, error.RunId, tx => tx.AppendError(error), ct);

    /// <inheritdoc/>
    public Task PutRequestAsync(string runId, RunRequest request, CancellationToken ct = default) => _database.WriteAsync(
        tx =>
        {
            tx.RequireRun(runId);
            return tx.Change(
                "INSERT INTO requests (run_id, request) VALUES (@runId, @request) ON CONFLICT (run_id) DO UPDATE SET request = excluded.request",
                new { runId, request = request.ToString() });
        },
        ct);

    /// <inheritdoc/>
    public async Task<RunRequest> GetRequestAsync(string runId, CancellationToken ct = default)
    {
        var request = await _database.ReadAsync(
            db => db.QuerySingleOrDefault<string>(
                "SELECT coalesce(q.request, 'None') FROM runs r LEFT JOIN requests q ON q.run_id = r.run_id WHERE r.run_id = @runId", new { runId }),
            ct);
        return request is null ? throw new RunNotFoundException(runId) : StoredValue.Name<RunRequest>(request);
    }

    /// <inheritdoc/>
    public Task ClearRequestAsync(Lease lease, RunRequest request, CancellationToken ct = default) => FencedAsync(
        lease,
        lease.RunId,
        tx => tx.Change("DELETE FROM requests WHERE run_id = @RunId AND request = @request", new { lease.RunId, request = request.ToString() }),
        ct);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _database.Dispose();
        return ValueTask.CompletedTask;
    }

    private static DateTimeOffset ToMilliseconds(DateTimeOffset time) => StoredValue.Time(time.ToUnixTimeMilliseconds());

    private Task<IReadOnlyList<T>> ListAsync<TRow, T>(string sql, string runId, Func<TRow, T> toRecord, CancellationToken ct) =>
        _database.ReadAsync<IReadOnlyList<T>>(db => [.. db.Query<TRow>(sql, new { runId }).Select(toRecord)], ct);

    /// <summary>Writes only while the lease is the newest one; an expired lease that nobody else took still is.</summary>
    private Task<T> FencedAsync<T>(Lease lease, string runId, Func<SqliteTransaction, T> write, CancellationToken ct)
    {
        if (lease.RunId != runId)
        {
            throw new ArgumentException($"The lease is on run {lease.RunId}, the write is to run {runId}.", nameof(lease));
        }

        return _database.WriteAsync(
            tx =>
            {
                tx.RequireLease(lease);
                return write(tx);
            },
            ct);
    }
}
