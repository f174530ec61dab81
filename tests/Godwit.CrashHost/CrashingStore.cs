using Godwit.Metadata;
using Godwit.Plans;

namespace Godwit.CrashHost;

/// <summary>A store that tells somebody before and after each write which a later process stands on; leases are not among them. While it is told, nothing else is written.</summary>
/// <param name="inner">The store.</param>
/// <param name="reach">Is given the number of the write from 1, its name, the run's id, and whether it has been written.</param>
public sealed class CrashingStore(IStore inner, Func<int, string, string, bool, Task> reach) : IStore
{
    private readonly SemaphoreSlim _one = new(1);
    private int _writes;

    /// <summary>How many there have been.</summary>
    public int Writes => _writes;

    public Task CreateRunAsync(RunRecord run, Plan plan, CancellationToken ct = default) =>
        WriteAsync("create-run", run.RunId, () => inner.CreateRunAsync(run, plan, ct));

    public Task UpdateRunAsync(Lease lease, RunRecord run, CancellationToken ct = default) =>
        WriteAsync($"run {run.State}", run.RunId, () => inner.UpdateRunAsync(lease, run, ct));

    public Task UpdateStepAsync(Lease lease, StepRecord step, CancellationToken ct = default) =>
        WriteAsync($"step {step.Index} {step.State}", step.RunId, () => inner.UpdateStepAsync(lease, step, ct));

    public async Task<JournalEntry> AppendJournalAsync(Lease lease, JournalEntry entry, CancellationToken ct = default)
    {
        var written = entry;
        await WriteAsync($"{entry.Kind} {entry.Name}", entry.RunId, async () => written = await inner.AppendJournalAsync(lease, entry, ct));
        return written;
    }

    public Task AppendErrorAsync(Lease lease, RunError error, CancellationToken ct = default) =>
        WriteAsync("error", error.RunId, () => inner.AppendErrorAsync(lease, error, ct));

    public Task<IReadOnlyDictionary<string, string>> GetSettingsAsync(CancellationToken ct = default) => inner.GetSettingsAsync(ct);

    public Task PutSettingAsync(string name, string? value, AuditEntry audit, CancellationToken ct = default) => inner.PutSettingAsync(name, value, audit, ct);

    public Task AppendAuditAsync(AuditEntry entry, CancellationToken ct = default) => QuietlyAsync(() => inner.AppendAuditAsync(entry, ct));

    public Task<IReadOnlyList<AuditEntry>> GetAuditAsync(int most, long? before = null, CancellationToken ct = default) => inner.GetAuditAsync(most, before, ct);

    public Task AppendSampleAsync(Lease lease, RunSample sample, CancellationToken ct = default) => QuietlyAsync(() => inner.AppendSampleAsync(lease, sample, ct));

    public Task<IReadOnlyList<RunSample>> GetSamplesAsync(string runId, DateTimeOffset? after = null, CancellationToken ct = default) => inner.GetSamplesAsync(runId, after, ct);

    public Task PutRowLimitAsync(string runId, RowLimit limit, CancellationToken ct = default) => inner.PutRowLimitAsync(runId, limit, ct);

    public Task<RowLimit?> FindRowLimitAsync(string runId, CancellationToken ct = default) => inner.FindRowLimitAsync(runId, ct);

    public Task<RunRecord?> FindRunAsync(string runId, CancellationToken ct = default) => inner.FindRunAsync(runId, ct);

    public Task<IReadOnlyList<RunRecord>> ListRunsAsync(CancellationToken ct = default) => inner.ListRunsAsync(ct);

    public Task<Plan> GetPlanAsync(string runId, CancellationToken ct = default) => inner.GetPlanAsync(runId, ct);

    public Task<IReadOnlyList<StepRecord>> GetStepsAsync(string runId, CancellationToken ct = default) => inner.GetStepsAsync(runId, ct);

    public Task<IReadOnlyList<JournalEntry>> GetJournalAsync(string runId, long after, int most, CancellationToken ct = default) => inner.GetJournalAsync(runId, after, most, ct);

    public Task<IReadOnlyList<RunError>> GetErrorsAsync(string runId, CancellationToken ct = default) => inner.GetErrorsAsync(runId, ct);

    public Task<Lease> AcquireLeaseAsync(string runId, string owner, TimeSpan duration, CancellationToken ct = default) =>
        QuietlyAsync(() => inner.AcquireLeaseAsync(runId, owner, duration, ct));

    public Task<Lease?> FindLeaseAsync(string runId, CancellationToken ct = default) => inner.FindLeaseAsync(runId, ct);

    public Task<Lease> RenewLeaseAsync(Lease lease, TimeSpan duration, string? progress, CancellationToken ct = default) =>
        QuietlyAsync(() => inner.RenewLeaseAsync(lease, duration, progress, ct));

    public Task ReleaseLeaseAsync(Lease lease, CancellationToken ct = default) => QuietlyAsync(() => inner.ReleaseLeaseAsync(lease, ct));

    public Task PutRequestAsync(string runId, RunRequest request, CancellationToken ct = default) => QuietlyAsync(() => inner.PutRequestAsync(runId, request, ct));

    public Task<RunRequest> GetRequestAsync(string runId, CancellationToken ct = default) => inner.GetRequestAsync(runId, ct);

    public Task ClearRequestAsync(Lease lease, RunRequest request, CancellationToken ct = default) => QuietlyAsync(() => inner.ClearRequestAsync(lease, request, ct));

    public async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        _one.Dispose();
    }

    // A process that is frozen in the middle of a write keeps all others from writing to a file.
    private Task<int> QuietlyAsync(Func<Task> write) => QuietlyAsync(async () =>
    {
        await write();
        return 0;
    });

    private async Task<T> QuietlyAsync<T>(Func<Task<T>> write)
    {
        await _one.WaitAsync();
        try
        {
            return await write();
        }
        finally
        {
            _one.Release();
        }
    }

    // One at a time, so that "before write N" is a moment at which exactly N - 1 are written.
    private async Task WriteAsync(string name, string runId, Func<Task> write)
    {
        await _one.WaitAsync();
        try
        {
            var number = ++_writes;
            await reach(number, name, runId, false);
            await write();
            await reach(number, name, runId, true);
        }
        finally
        {
            _one.Release();
        }
    }
}
