using System.Data.Common;
using Dapper;
using Godwit.Plans;
using Godwit.Runs;

namespace Godwit.Metadata;

/// <summary>Runs, settings and the audit trail, in SQL that every database below understands alike.</summary>
internal sealed class Store(IDatabase database, TimeProvider clock) : IStore
{
    /// <inheritdoc/>
    public Task CreateRunAsync(RunRecord run, Plan plan, CancellationToken ct = default)
    {
        var text = PlanFormat.Serialize(plan);
        return database.WriteAsync(
            tx =>
            {
                var others = tx.Runs();
                if (others.Any(o => o.RunId == run.RunId))
                {
                    throw new RunConflictException($"There is a run {run.RunId} already: `godwit status {run.RunId}` shows it.", run.RunId);
                }

                RunConflicts.RefuseStart(run, others, tx.MostRuns());
                return tx.InsertRun(run, plan, text);
            },
            ct);
    }

    /// <inheritdoc/>
    public Task<RunRecord?> FindRunAsync(string runId, CancellationToken ct = default) => database.ReadAsync(
        db => db.QuerySingleOrDefault<RunRow>($"SELECT {RunRow.Columns} FROM runs WHERE run_id = @runId", new { runId })?.ToRecord(), ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RunRecord>> ListRunsAsync(CancellationToken ct = default) => ListAsync<RunRow, RunRecord>(
        $"SELECT {RunRow.Columns} FROM runs ORDER BY created_at DESC, number DESC", new { }, row => row.ToRecord(), ct);

    /// <inheritdoc/>
    public async Task<Plan> GetPlanAsync(string runId, CancellationToken ct = default)
    {
        var (body, checksum) = await database.ReadAsync(
            db => db.QuerySingleOrDefault<(string? Body, string? Checksum)>("SELECT body, checksum FROM plans WHERE run_id = @runId", new { runId }),
            ct);
        return body is null || checksum is null ? throw new RunNotFoundException(runId) : PlanFormat.Deserialize(body, checksum);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<StepRecord>> GetStepsAsync(string runId, CancellationToken ct = default) => ListAsync<StepRow, StepRecord>(
        "SELECT step AS Step, state AS State, rows_done AS RowsDone, attempts AS Attempts, started_at AS StartedAt, finished_at AS FinishedAt FROM steps WHERE run_id = @runId ORDER BY step",
        new { runId }, row => row.ToRecord(runId), ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<JournalEntry>> GetJournalAsync(string runId, long after, int most, CancellationToken ct = default) => ListAsync<JournalRow, JournalEntry>(
        "SELECT run_id AS RunId, sequence AS Sequence, step AS Step, kind AS Kind, name AS Name, payload AS Payload, at AS At FROM journal "
        + "WHERE run_id = @runId AND sequence > @after ORDER BY sequence LIMIT @most",
        new { runId, after, most }, row => row.ToRecord(), ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RunError>> GetErrorsAsync(string runId, CancellationToken ct = default) => ListAsync<ErrorRow, RunError>(
        "SELECT run_id AS RunId, step AS Step, message AS Message, details AS Details, at AS At FROM errors WHERE run_id = @runId ORDER BY id",
        new { runId }, row => row.ToRecord(), ct);

    /// <inheritdoc/>
    public Task<Lease> AcquireLeaseAsync(string runId, string owner, TimeSpan duration, CancellationToken ct = default) => database.WriteAsync(
        tx =>
        {
            tx.RequireRun(runId);
            var last = tx.Connection!.FindLease(runId);
            if (last?.ToLease() is { } held && held.ExpiresAt > Now)
            {
                throw new LeaseHeldException(Here(held));
            }

            var taken = new Lease(runId, owner, (last?.Epoch ?? 0) + 1, ToMilliseconds(Now + duration));
            tx.PutLease(taken);
            return Here(taken);
        },
        ct);

    /// <inheritdoc/>
    public Task<Lease?> FindLeaseAsync(string runId, CancellationToken ct = default) =>
        database.ReadAsync(db => db.FindLease(runId)?.ToLease() is { } lease ? Here(lease) : null, ct);

    /// <inheritdoc/>
    public Task<Lease> RenewLeaseAsync(Lease lease, TimeSpan duration, string? progress, CancellationToken ct = default) => FencedAsync(
        lease,
        lease.RunId,
        tx =>
        {
            var renewed = lease with { ExpiresAt = ToMilliseconds(Now + duration) };
            tx.PutLease(renewed);
            if (progress is not null)
            {
                tx.Change("UPDATE runs SET progress = @progress WHERE run_id = @RunId", new { lease.RunId, progress });
            }

            return Here(renewed);
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
            RunConflicts.RefuseTransition(tx.State(run.RunId), run, tx.Runs, tx.MostRuns);
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
    public Task AppendSampleAsync(Lease lease, RunSample sample, CancellationToken ct = default) =>
        FencedAsync(lease, lease.RunId, tx => tx.AppendSample(lease.RunId, sample), ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RunSample>> GetSamplesAsync(string runId, DateTimeOffset? after = null, CancellationToken ct = default) => ListAsync<SampleRow, RunSample>(
        "SELECT at AS At, row_count AS Rows, rate AS Rate, lag AS Lag, is_held AS IsHeld FROM samples WHERE run_id = @runId AND at > @from ORDER BY at",
        new { runId, from = after?.ToUnixTimeMilliseconds() ?? 0 }, row => row.ToRecord(), ct);

    /// <inheritdoc/>
    public Task PutRowLimitAsync(string runId, RowLimit limit, CancellationToken ct = default) => database.WriteAsync(
        tx =>
        {
            tx.RequireRun(runId);
            return tx.Change(
                "INSERT INTO limits (run_id, rows_per_second) VALUES (@runId, @RowsPerSecond) ON CONFLICT (run_id) DO UPDATE SET rows_per_second = excluded.rows_per_second",
                new { runId, limit.RowsPerSecond });
        },
        ct);

    /// <inheritdoc/>
    public Task<RowLimit?> FindRowLimitAsync(string runId, CancellationToken ct = default) => database.ReadAsync(
        db => db.Query<LimitRow>("SELECT rows_per_second AS RowsPerSecond FROM limits WHERE run_id = @runId", new { runId }).Select(r => new RowLimit(r.RowsPerSecond)).SingleOrDefault(), ct);

    /// <inheritdoc/>
    public Task PutRequestAsync(string runId, RunRequest request, CancellationToken ct = default) => database.WriteAsync(
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
        var request = await database.ReadAsync(
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
    public async Task<IReadOnlyDictionary<string, string>> GetSettingsAsync(CancellationToken ct = default) => await database.ReadAsync(
        db => db.Query<(string Name, string Value)>("SELECT name, value FROM settings").ToDictionary(s => s.Name, s => s.Value, StringComparer.Ordinal), ct);

    /// <inheritdoc/>
    public Task PutSettingAsync(string name, string? value, AuditEntry audit, CancellationToken ct = default) => database.WriteAsync(
        tx =>
        {
            tx.AppendAudit(audit);
            return value is null
                ? tx.Change("DELETE FROM settings WHERE name = @name", new { name })
                : tx.Change("INSERT INTO settings (name, value) VALUES (@name, @value) ON CONFLICT (name) DO UPDATE SET value = excluded.value", new { name, value });
        },
        ct);

    /// <inheritdoc/>
    public Task AppendAuditAsync(AuditEntry entry, CancellationToken ct = default) => database.WriteAsync(tx => tx.AppendAudit(entry), ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<AuditEntry>> GetAuditAsync(int most, long? before = null, CancellationToken ct = default) => ListAsync<AuditRow, AuditEntry>(
        "SELECT id AS Id, at AS At, who AS Who, origin AS Origin, action AS Action, subject AS Subject, details AS Details FROM audit WHERE id < @before ORDER BY id DESC LIMIT @most",
        new { most, before = before ?? long.MaxValue }, row => row.ToEntry(), ct);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        database.Dispose();
        return ValueTask.CompletedTask;
    }

    // Leases are kept by the database's clock, and looked at by this machine's.
    private DateTimeOffset Now => clock.GetUtcNow() + database.ClockOffset;

    private Lease Here(Lease lease) => lease with { ExpiresAt = lease.ExpiresAt - database.ClockOffset };

    private static DateTimeOffset ToMilliseconds(DateTimeOffset time) => StoredValue.Time(time.ToUnixTimeMilliseconds());

    private Task<IReadOnlyList<T>> ListAsync<TRow, T>(string sql, object parameters, Func<TRow, T> toRecord, CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<T>>(db => [.. db.Query<TRow>(sql, parameters, buffered: false).Select(toRecord)], ct);

    /// <summary>Writes only while the lease is the newest one; an expired lease that nobody else took still is.</summary>
    private Task<T> FencedAsync<T>(Lease lease, string runId, Func<DbTransaction, T> write, CancellationToken ct)
    {
        if (lease.RunId != runId)
        {
            throw new ArgumentException($"The lease is on run {lease.RunId}, the write is to run {runId}.", nameof(lease));
        }

        return database.WriteAsync(
            tx =>
            {
                tx.RequireLease(lease);
                return write(tx);
            },
            ct);
    }
}
