using Godwit.Plans;

namespace Godwit.Metadata;

/// <summary>
/// Where runs, plans, journals and leases are kept. Every write is durable when its task completes, and every write to a
/// run carries the writer's lease: one that is not the newest is refused with <see cref="LeaseLostException"/>. Times are
/// kept to the millisecond. What is asked of an unknown run is refused with <see cref="RunNotFoundException"/>, except that
/// a search finds nothing and a list is empty.
/// </summary>
public interface IRunStore : IAsyncDisposable
{
    /// <summary>Stores a new run with its plan and a pending record for each step, all or nothing.</summary>
    /// <exception cref="RunConflictException">
    /// Another run is active on the same instance, or one on the same table can still be resumed, rolled back or cleaned up.
    /// </exception>
    Task CreateRunAsync(RunRecord run, Plan plan, CancellationToken ct = default);

    /// <summary>The run of that id, or null.</summary>
    Task<RunRecord?> FindRunAsync(string runId, CancellationToken ct = default);

    /// <summary>All runs, the newest first.</summary>
    Task<IReadOnlyList<RunRecord>> ListRunsAsync(CancellationToken ct = default);

    /// <summary>The plan that was stored with the run.</summary>
    /// <exception cref="StoredFormatException">It is of another format version or does not match its checksum.</exception>
    Task<Plan> GetPlanAsync(string runId, CancellationToken ct = default);

    /// <summary>The steps of a run in plan order.</summary>
    Task<IReadOnlyList<StepRecord>> GetStepsAsync(string runId, CancellationToken ct = default);

    /// <summary>The journal of a run, oldest first.</summary>
    Task<IReadOnlyList<JournalEntry>> GetJournalAsync(string runId, CancellationToken ct = default) => GetJournalAsync(runId, 0, int.MaxValue, ct);

    /// <summary>A stretch of the journal of a run, oldest first.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="after">Only entries after the one of this sequence number.</param>
    /// <param name="most">How many at most.</param>
    /// <param name="ct">Cancels.</param>
    Task<IReadOnlyList<JournalEntry>> GetJournalAsync(string runId, long after, int most, CancellationToken ct = default);

    /// <summary>The errors of a run, oldest first.</summary>
    Task<IReadOnlyList<RunError>> GetErrorsAsync(string runId, CancellationToken ct = default);

    /// <summary>Takes the right to write to a run when nobody holds it or its holder has let it expire.</summary>
    /// <exception cref="LeaseHeldException">Another process holds it.</exception>
    Task<Lease> AcquireLeaseAsync(string runId, string owner, TimeSpan duration, CancellationToken ct = default);

    /// <summary>The present lease of a run, expired or not; null when nobody ever held it or it was released.</summary>
    Task<Lease?> FindLeaseAsync(string runId, CancellationToken ct = default);

    /// <summary>Prolongs a lease and stores the figures of the moment.</summary>
    Task<Lease> RenewLeaseAsync(Lease lease, TimeSpan duration, string? progress, CancellationToken ct = default);

    /// <summary>Lets go of a lease, so that another process may take it at once.</summary>
    Task ReleaseLeaseAsync(Lease lease, CancellationToken ct = default);

    /// <summary>
    /// Replaces what can change in the run's record: all but its id, kind, table, instance, strategy and time of creation.
    /// No <see cref="RunRecord.Progress"/> leaves the figures as they are. The caller has checked the transition of its state.
    /// </summary>
    /// <exception cref="RunConflictException">It was to start, or to go on, and another run is in its way by now.</exception>
    Task UpdateRunAsync(Lease lease, RunRecord run, CancellationToken ct = default);

    /// <summary>Replaces a step's record.</summary>
    Task UpdateStepAsync(Lease lease, StepRecord step, CancellationToken ct = default);

    /// <summary>Appends to the journal and returns the entry with its sequence number.</summary>
    Task<JournalEntry> AppendJournalAsync(Lease lease, JournalEntry entry, CancellationToken ct = default);

    /// <summary>Keeps an error for people.</summary>
    Task AppendErrorAsync(Lease lease, RunError error, CancellationToken ct = default);

    /// <summary>Keeps the figures of a moment.</summary>
    Task AppendSampleAsync(Lease lease, RunSample sample, CancellationToken ct = default);

    /// <summary>The figures of a run that were kept, oldest first.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="after">Only those that are newer; null for all.</param>
    /// <param name="ct">Cancels.</param>
    Task<IReadOnlyList<RunSample>> GetSamplesAsync(string runId, DateTimeOffset? after = null, CancellationToken ct = default);

    /// <summary>Says how fast a run may copy from now on. Needs no lease.</summary>
    Task PutRowLimitAsync(string runId, RowLimit limit, CancellationToken ct = default);

    /// <summary>How fast a run may copy, as somebody said while it was under way; null when what it was started with holds.</summary>
    Task<RowLimit?> FindRowLimitAsync(string runId, CancellationToken ct = default);

    /// <summary>Leaves a request for the owner of a run; a later one replaces an earlier one. Needs no lease.</summary>
    Task PutRequestAsync(string runId, RunRequest request, CancellationToken ct = default);

    /// <summary>The request that waits for the owner.</summary>
    Task<RunRequest> GetRequestAsync(string runId, CancellationToken ct = default);

    /// <summary>Removes the request if it is still this one.</summary>
    Task ClearRequestAsync(Lease lease, RunRequest request, CancellationToken ct = default);
}

/// <summary>The store cannot be opened, read or written. A run never goes on after it.</summary>
public sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A new run is refused because of another one.</summary>
public sealed class RunConflictException(string message, string runId) : Exception(message)
{
    /// <summary>The run that is in the way.</summary>
    public string RunId { get; } = runId;
}

/// <summary>Another process owns the run.</summary>
public sealed class LeaseHeldException(Lease lease)
    : Exception($"Run {lease.RunId} is owned by {lease.Owner} until {lease.ExpiresAt:HH:mm:ss} UTC unless it renews its lease.")
{
    /// <summary>The lease that is in the way.</summary>
    public Lease Lease { get; } = lease;
}

/// <summary>This process no longer owns the run: another one took it over. Nothing was written.</summary>
public sealed class LeaseLostException(Lease lease)
    : Exception($"Run {lease.RunId} was taken over by another process; this one (epoch {lease.Epoch}) has stopped writing to it.");
