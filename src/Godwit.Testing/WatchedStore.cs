using Godwit.Metadata;
using Godwit.Plans;

namespace Godwit.Testing;

/// <summary>The store as one process sees it. Each write that a later process stands on is a moment; leases and requests are not.</summary>
internal sealed class WatchedStore(IStore inner, ProcessLife life) : IStore
{
    public Task CreateRunAsync(RunRecord run, Plan plan, CancellationToken ct = default) =>
        life.WriteAsync(() => inner.CreateRunAsync(run, plan, ct), "the run was stored");

    public Task UpdateRunAsync(Lease lease, RunRecord run, CancellationToken ct = default) =>
        life.WriteAsync(() => inner.UpdateRunAsync(lease, run, ct), $"the run was noted as {run.State}");

    public Task UpdateStepAsync(Lease lease, StepRecord step, CancellationToken ct = default) =>
        life.WriteAsync(() => inner.UpdateStepAsync(lease, step, ct), $"step {step.Index} was noted as {step.State}");

    public async Task<JournalEntry> AppendJournalAsync(Lease lease, JournalEntry entry, CancellationToken ct = default)
    {
        var written = entry;
        var moment = $"step {entry.Step} wrote {entry.Kind} '{entry.Name}' into the journal";
        await life.WriteAsync(async () => written = await inner.AppendJournalAsync(lease, entry, ct), moment);
        return written;
    }

    public Task AppendErrorAsync(Lease lease, RunError error, CancellationToken ct = default) =>
        life.WriteAsync(() => inner.AppendErrorAsync(lease, error, ct), "an error was noted");

    public Task<RunRecord?> FindRunAsync(string runId, CancellationToken ct = default) => life.CallAsync(() => inner.FindRunAsync(runId, ct));

    public Task<IReadOnlyList<RunRecord>> ListRunsAsync(CancellationToken ct = default) => life.CallAsync(() => inner.ListRunsAsync(ct));

    public Task<Plan> GetPlanAsync(string runId, CancellationToken ct = default) => life.CallAsync(() => inner.GetPlanAsync(runId, ct));

    public Task<IReadOnlyList<StepRecord>> GetStepsAsync(string runId, CancellationToken ct = default) => life.CallAsync(() => inner.GetStepsAsync(runId, ct));

    public Task<IReadOnlyList<JournalEntry>> GetJournalAsync(string runId, long after, int most, CancellationToken ct = default) =>
        life.CallAsync(() => inner.GetJournalAsync(runId, after, most, ct));

    public Task AppendSampleAsync(Lease lease, RunSample sample, CancellationToken ct = default) => life.CallAsync(() => inner.AppendSampleAsync(lease, sample, ct));

    public Task<IReadOnlyList<RunSample>> GetSamplesAsync(string runId, DateTimeOffset? after = null, CancellationToken ct = default) => life.CallAsync(() => inner.GetSamplesAsync(runId, after, ct));

    public Task PutRowLimitAsync(string runId, RowLimit limit, CancellationToken ct = default) => life.CallAsync(() => inner.PutRowLimitAsync(runId, limit, ct));

    public Task<RowLimit?> FindRowLimitAsync(string runId, CancellationToken ct = default) => life.CallAsync(() => inner.FindRowLimitAsync(runId, ct));

    public Task<IReadOnlyList<RunError>> GetErrorsAsync(string runId, CancellationToken ct = default) => life.CallAsync(() => inner.GetErrorsAsync(runId, ct));

    public Task<Lease> AcquireLeaseAsync(string runId, string owner, TimeSpan duration, CancellationToken ct = default) =>
        life.CallAsync(() => inner.AcquireLeaseAsync(runId, owner, duration, ct));

    public Task<Lease?> FindLeaseAsync(string runId, CancellationToken ct = default) => life.CallAsync(() => inner.FindLeaseAsync(runId, ct));

    public Task<Lease> RenewLeaseAsync(Lease lease, TimeSpan duration, string? progress, CancellationToken ct = default) =>
        life.CallAsync(() => inner.RenewLeaseAsync(lease, duration, progress, ct));

    public Task ReleaseLeaseAsync(Lease lease, CancellationToken ct = default) => life.CallAsync(() => inner.ReleaseLeaseAsync(lease, ct));

    public Task PutRequestAsync(string runId, RunRequest request, CancellationToken ct = default) =>
        life.CallAsync(() => inner.PutRequestAsync(runId, request, ct));

    public Task<RunRequest> GetRequestAsync(string runId, CancellationToken ct = default) => life.CallAsync(() => inner.GetRequestAsync(runId, ct));

    public Task ClearRequestAsync(Lease lease, RunRequest request, CancellationToken ct = default) =>
        life.CallAsync(() => inner.ClearRequestAsync(lease, request, ct));

    public Task<IReadOnlyDictionary<string, string>> GetSettingsAsync(CancellationToken ct = default) => life.CallAsync(() => inner.GetSettingsAsync(ct));

    public Task PutSettingAsync(string name, string? value, AuditEntry audit, CancellationToken ct = default) =>
        life.CallAsync(() => inner.PutSettingAsync(name, value, audit, ct));

    public Task AppendAuditAsync(AuditEntry entry, CancellationToken ct = default) => life.CallAsync(() => inner.AppendAuditAsync(entry, ct));

    public Task<IReadOnlyList<AuditEntry>> GetAuditAsync(int most, long? before = null, CancellationToken ct = default) => life.CallAsync(() => inner.GetAuditAsync(most, before, ct));

    /// <summary>Nothing: the store goes from one process to the next.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
