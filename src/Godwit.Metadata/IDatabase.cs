using System.Data.Common;

namespace Godwit.Metadata;

/// <summary>The database below a <see cref="Store"/>: whoever writes is alone, and what is wrong with it is told in sentences.</summary>
internal interface IDatabase : IDisposable
{
    /// <summary>How far the clock that leases run by is ahead of this machine's: processes on several machines need one clock.</summary>
    TimeSpan ClockOffset { get; }

    /// <summary>Reads.</summary>
    /// <exception cref="StoreException">The database cannot be read.</exception>
    Task<T> ReadAsync<T>(Func<DbConnection, T> read, CancellationToken ct);

    /// <summary>Writes in a transaction that is durable when the task completes, and leaves no trace when it fails. No other process writes meanwhile.</summary>
    /// <exception cref="StoreException">The database cannot be written; after a lost connection it may have been.</exception>
    Task<T> WriteAsync<T>(Func<DbTransaction, T> write, CancellationToken ct);
}
