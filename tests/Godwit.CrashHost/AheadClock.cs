namespace Godwit.CrashHost;

/// <summary>A clock that is ahead of the system's: by it a dead process's lease has ended, and nobody waits for that.</summary>
/// <param name="by">By how much.</param>
public sealed class AheadClock(TimeSpan by) : TimeProvider
{
    /// <summary>Longer than a lease.</summary>
    public static readonly TimeSpan PastLease = TimeSpan.FromSeconds(10);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
}
