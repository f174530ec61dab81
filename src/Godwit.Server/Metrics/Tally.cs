namespace Godwit.Server.Metrics;

/// <summary>What this process counts besides requests.</summary>
internal sealed class Tally
{
    private long _loginsRefused;
    private int _livePages;

    /// <summary>Logins refused since the process began.</summary>
    public long LoginsRefused => Interlocked.Read(ref _loginsRefused);

    /// <summary>Pages that follow what happens, at this moment.</summary>
    public int LivePages => Volatile.Read(ref _livePages);

    /// <summary>A login was refused.</summary>
    public void LoginRefused() => Interlocked.Increment(ref _loginsRefused);

    /// <summary>A page begins to follow.</summary>
    public void PageOpened() => Interlocked.Increment(ref _livePages);

    /// <summary>A page follows no more.</summary>
    public void PageClosed() => Interlocked.Decrement(ref _livePages);
}
