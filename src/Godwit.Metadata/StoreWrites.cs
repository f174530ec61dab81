using System.Data.Common;
using Dapper;
using Godwit.Plans;
using Godwit.Runs;
using Godwit.Workers;

namespace Godwit.Metadata;

/// <summary>The statements inside the transactions of <see cref="Store"/>.</summary>
internal static class StoreWrites
{
    public static int Change(this DbTransaction tx, string sql, object parameters) => tx.Connection!.Execute(sql, parameters, tx);

    public static LeaseRow? FindLease(this DbConnection db, string runId) => db.QuerySingleOrDefault<LeaseRow>(
        "SELECT run_id AS RunId, owner AS Owner, epoch AS Epoch, expires_at AS ExpiresAt FROM leases WHERE run_id = @runId", new { runId });

    public static void RequireRun(this DbTransaction tx, string runId) => tx.State(runId);

    public static void RequireLease(this DbTransaction tx, Lease lease)
    {
        var held = tx.Connection!.ExecuteScalar<long>(
            "SELECT count(*) FROM leases WHERE run_id = @RunId AND owner = @Owner AND epoch = @Epoch",
            new { lease.RunId, lease.Owner, lease.Epoch }, tx);
        if (held == 0)
        {
            throw new LeaseLostException(lease);
        }
    }

    public static RunState State(this DbTransaction tx, string runId)
    {
        var state = tx.Connection!.QuerySingleOrDefault<string>("SELECT state FROM runs WHERE run_id = @runId", new { runId }, tx);
        return state is null ? throw new RunNotFoundException(runId) : StoredValue.Name<RunState>(state);
    }

    public static IReadOnlyList<RunRecord> Runs(this DbTransaction tx) =>
        [.. tx.Connection!.Query<RunRow>($"SELECT {RunRow.Columns} FROM runs ORDER BY created_at DESC", transaction: tx).Select(r => r.ToRecord())];

    /// <summary>How many runs may be at work at once on an instance; see <see cref="WorkerSettings.MaxConcurrentRuns"/>.</summary>
    public static int MostRuns(this DbTransaction tx) => WorkerSettings.Read(
        tx.Connection!.Query<(string Name, string Value)>("SELECT name, value FROM settings WHERE name = 'maxConcurrentRuns'", transaction: tx).ToDictionary(s => s.Name, s => s.Value, StringComparer.Ordinal)).MaxConcurrentRuns;

    public static int InsertRun(this DbTransaction tx, RunRecord run, Plan plan, string text)
    {
        tx.Change(
            """
            INSERT INTO runs (run_id, migration, tables, instance, strategy, state, created_at, started_at, finished_at,
                              rollback_until, cleaned_up, problem, options, progress)
            VALUES (@RunId, @Migration, @Tables, @Instance, @Strategy, @State, @CreatedAt, @StartedAt, @FinishedAt,
                    @RollbackUntil, @CleanedUp, @Problem, @Options, @Progress)
            """,
            RunRow.From(run));
        tx.Change(
            "INSERT INTO plans (run_id, body, checksum) VALUES (@RunId, @text, @checksum)",
            new { run.RunId, text, checksum = PlanFormat.Checksum(text) });
        return tx.InsertSteps(run.RunId, plan.Steps.Count);
    }

    public static int UpdateRun(this DbTransaction tx, RunRecord run) => tx.Change(
        """
        UPDATE runs SET state = @State, started_at = @StartedAt, finished_at = @FinishedAt, rollback_until = @RollbackUntil,
                        cleaned_up = @CleanedUp, problem = @Problem, options = @Options, progress = coalesce(@Progress, progress)
        WHERE run_id = @RunId
        """,
        RunRow.From(run));

    public static int UpdateStep(this DbTransaction tx, StepRecord step)
    {
        var changed = tx.Change(
            "UPDATE steps SET state = @State, rows_done = @RowsDone, attempts = @Attempts, started_at = @started, finished_at = @finished WHERE run_id = @RunId AND step = @Index",
            new
            {
                step.RunId,
                step.Index,
                State = step.State.ToString(),
                step.RowsDone,
                step.Attempts,
                started = step.StartedAt?.ToUnixTimeMilliseconds(),
                finished = step.FinishedAt?.ToUnixTimeMilliseconds(),
            });
        return changed == 1 ? changed : throw new ArgumentException($"Run {step.RunId} has no step {step.Index}.", nameof(step));
    }

    public static JournalEntry AppendJournal(this DbTransaction tx, JournalEntry entry)
    {
        var last = tx.Connection!.ExecuteScalar<long>(
            "SELECT coalesce(max(sequence), 0) FROM journal WHERE run_id = @RunId", new { entry.RunId }, tx);
        var row = new JournalRow(
            entry.RunId, last + 1, entry.Step, entry.Kind.ToString(), entry.Name, entry.Payload, entry.At.ToUnixTimeMilliseconds());
        tx.Change(
            "INSERT INTO journal (run_id, sequence, step, kind, name, payload, at) VALUES (@RunId, @Sequence, @Step, @Kind, @Name, @Payload, @At)",
            row);
        return row.ToRecord();
    }

    public static int AppendError(this DbTransaction tx, RunError error) => tx.Change(
        "INSERT INTO errors (run_id, step, message, details, at) VALUES (@RunId, @Step, @Message, @Details, @At)",
        new { error.RunId, error.Step, error.Message, error.Details, At = error.At.ToUnixTimeMilliseconds() });

    public static int AppendAudit(this DbTransaction tx, AuditEntry entry) => tx.Change(
        "INSERT INTO audit (at, who, origin, action, subject, details) VALUES (@At, @Who, @From, @Action, @Subject, @Details)",
        new { At = entry.At.ToUnixTimeMilliseconds(), entry.Who, entry.From, entry.Action, entry.Subject, entry.Details });

    public static int AppendSample(this DbTransaction tx, string runId, RunSample sample) => tx.Change(
        "INSERT INTO samples (run_id, at, row_count, rate, lag, is_held) VALUES (@runId, @At, @Rows, @RowsPerSecond, @LagSeconds, @IsHeld)",
        new { runId, At = sample.At.ToUnixTimeMilliseconds(), sample.Rows, sample.RowsPerSecond, sample.LagSeconds, IsHeld = sample.IsHeld ? 1L : 0L });

    public static int PutLease(this DbTransaction tx, Lease lease) => tx.Change(
        """
        INSERT INTO leases (run_id, owner, epoch, expires_at) VALUES (@RunId, @Owner, @Epoch, @ExpiresAt)
        ON CONFLICT (run_id) DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch, expires_at = excluded.expires_at
        """,
        new { lease.RunId, lease.Owner, lease.Epoch, ExpiresAt = lease.ExpiresAt.ToUnixTimeMilliseconds() });

    /// <summary>One statement for all of them: a plan may have tens of thousands, numbered from 0.</summary>
    private static int InsertSteps(this DbTransaction tx, string runId, int count) => tx.Change(
        """
        WITH RECURSIVE numbers (step) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT step + 1 FROM numbers WHERE step + 1 < @count)
        INSERT INTO steps (run_id, step, state, rows_done, attempts)
        SELECT @runId, step, @state, 0, 0 FROM numbers WHERE @count > 0
        """,
        new { runId, count, state = nameof(StepState.Pending) });
}
