using Godwit.Metadata;

namespace Godwit.Runs;

/// <summary>Holds the lease of a run and renews it until it is released or lost.</summary>
internal sealed class LeaseKeeper(IRunStore store, Lease lease, TimeProvider clock)
{
    /// <summary>How long a lease lasts without a renewal: a killed process is replaced after this time.</summary>
    public static readonly TimeSpan Duration = TimeSpan.FromSeconds(8);

    /// <summary>It is renewed at least this often.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>The lease as it was last renewed; its epoch never changes.</summary>
    public Lease Current { get; private set; } = lease;

    /// <summary>Takes the lease of a run, waiting for a dead owner's to expire; a living owner's renewals end the wait.</summary>
    /// <exception cref="LeaseHeldException">Its owner is alive.</exception>
    public static async Task<LeaseKeeper> TakeAsync(IRunStore store, string runId, TimeProvider clock, CancellationToken ct)
    {
        var owner = $"{Environment.MachineName}:{Environment.ProcessId}:{Guid.NewGuid():N}"[..^24];
        DateTimeOffset? firstSeen = null;
        while (true)
        {
            try
            {
                return new LeaseKeeper(store, await store.AcquireLeaseAsync(runId, owner, Duration, ct), clock);
            }
            catch (LeaseHeldException e) when (firstSeen is null || e.Lease.ExpiresAt == firstSeen)
            {
                // An unchanged expiry means that nobody renews it: its owner is gone, or will be known to be soon.
                firstSeen = e.Lease.ExpiresAt;
                await Task.Delay(Period + Period, clock, ct);
            }
        }
    }

    /// <summary>Renews the lease and stores the figures of the moment.</summary>
    public async Task RenewAsync(string? progress, CancellationToken ct) =>
        Current = await store.RenewLeaseAsync(Current, Duration, progress, ct);

    /// <summary>
    /// Returns when this process certainly owns the run. One that was frozen past the end of its lease finds out here, before it sends a
    /// statement that another process may have sent meanwhile.
    /// </summary>
    /// <exception cref="LeaseLostException">Another process took the run over.</exception>
    public Task RequireAsync(CancellationToken ct) => clock.GetUtcNow() < Current.ExpiresAt - Period ? Task.CompletedTask : RenewAsync(null, ct);

    /// <summary>Lets go of it.</summary>
    public Task ReleaseAsync() => store.ReleaseLeaseAsync(Current, CancellationToken.None);
}
