namespace Godwit.Metadata.Sqlite;

/// <summary>
/// A store in one SQLite file, the default. Several processes may use the file at once: a run in one terminal, `status` and
/// `pause` in others. The file must be on a local disk.
/// </summary>
/// <example><code>await using var store = await SqliteStore.OpenAsync("/var/lib/godwit/state.db");</code></example>
public static class SqliteStore
{
    private static readonly TimeSpan DefaultBusyWait = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Opens a state file, and upgrades it in place when an older Godwit wrote it. A new file can be read by its user only.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="clock">The clock that leases run by.</param>
    /// <param name="create">Whether to make the file, and its folders, when there is none.</param>
    /// <param name="ct">Gives up before the file is touched.</param>
    /// <exception cref="StoreException">There is no file, it is not one of Godwit's, is too new, or cannot be written to.</exception>
    public static Task<IStore> OpenAsync(string path, TimeProvider? clock = null, bool create = true, CancellationToken ct = default) =>
        OpenAsync(path, clock, create, DefaultBusyWait, ct);

    /// <summary>
    /// Prepares a store. The file is opened, or made, when something is first asked of the store: one that is away is told of then, and used as
    /// soon as it is there.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="clock">The clock that leases run by.</param>
    public static IStore Open(string path, TimeProvider? clock = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return new Store(OpenDatabase(path), clock ?? TimeProvider.System);
    }

    internal static IDatabase OpenDatabase(string path) => new DeferredDatabase(() => Open(path, create: true, DefaultBusyWait));

    internal static Task<IStore> OpenAsync(string path, TimeProvider? clock, bool create, TimeSpan busyWait, CancellationToken ct)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);

        // SQLite waits for locks by blocking, which a caller may do without.
        return Task.Run<IStore>(() => new Store(Open(path, create, busyWait), clock ?? TimeProvider.System), ct);
    }

    private static SqliteDatabase Open(string path, bool create, TimeSpan busyWait)
    {
        var full = Path.GetFullPath(path);
        SqliteFile.Ensure(full, create);
        return SqliteDatabase.Open(full, busyWait);
    }
}
