namespace Godwit.Testing;

/// <summary>The system's clock, put forward so that the leases of dead processes have ended.</summary>
internal sealed class LabClock : TimeProvider
{
    private TimeSpan _forward;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _forward;

    public void PutForward(TimeSpan by) => _forward += by;
}
