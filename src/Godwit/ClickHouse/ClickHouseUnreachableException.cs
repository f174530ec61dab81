namespace Godwit.ClickHouse;

/// <summary>
/// There was no (whole) answer: connection refused, unknown host, TLS, time-out, or broken off in the middle.
/// <see cref="ClickHouseException.Code"/> is 0.
/// </summary>
public sealed class ClickHouseUnreachableException : ClickHouseException
{
    internal ClickHouseUnreachableException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>
    /// False: the statement was never sent, so nothing happened. True: it was sent and the answer was lost, so that only the
    /// server knows whether it ran, or still runs: look there before sending it again.
    /// </summary>
    public bool MayHaveRun { get; internal init; }
}
