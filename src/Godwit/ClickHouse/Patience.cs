namespace Godwit.ClickHouse;

/// <summary>How long to wait: for the whole answer, or in a stream for each next piece.</summary>
internal sealed class Patience : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly bool _perPiece;

    public Patience(TimeSpan limit, bool perPiece, CancellationToken ct)
    {
        Limit = limit;
        Caller = ct;
        _perPiece = perPiece;
        _source = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _source.CancelAfter(limit);
    }

    public TimeSpan Limit { get; }

    public CancellationToken Caller { get; }

    public CancellationToken Token => _source.Token;

    /// <summary>Runs one read. A stream's reader may think as long as it likes between two.</summary>
    public async ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer)
    {
        if (!_perPiece)
        {
            return await stream.ReadAsync(buffer, Token);
        }

        _source.CancelAfter(Limit);
        var read = await stream.ReadAsync(buffer, Token);
        _source.CancelAfter(Timeout.InfiniteTimeSpan);
        return read;
    }

    public void Dispose() => _source.Dispose();
}
