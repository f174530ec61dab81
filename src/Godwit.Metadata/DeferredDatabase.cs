using System.Data.Common;

namespace Godwit.Metadata;

/// <summary>A database that is opened when something is first asked of it, and tried again by the next one who asks when that failed.</summary>
/// <param name="open">Opens it; may block.</param>
internal sealed class DeferredDatabase(Func<IDatabase> open) : IDatabase
{
    private readonly Lock _gate = new();
    private IDatabase? _opened;
    private bool _isDisposed;

    public TimeSpan ClockOffset => _opened?.ClockOffset ?? TimeSpan.Zero;

    public async Task<T> ReadAsync<T>(Func<DbConnection, T> read, CancellationToken ct) => await (await OpenAsync(ct)).ReadAsync(read, ct);

    public async Task<T> WriteAsync<T>(Func<DbTransaction, T> write, CancellationToken ct) => await (await OpenAsync(ct)).WriteAsync(write, ct);

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _opened?.Dispose();
        }
    }

    private async Task<IDatabase> OpenAsync(CancellationToken ct) => _opened ?? await Task.Run(
        () =>
        {
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                return _opened ??= open();
            }
        },
        ct);
}
