using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Godwit.Metadata.Sqlite;

/// <summary>
/// One connection to a state file, used by one caller at a time; other processes have theirs. SQLite's calls are
/// synchronous, so what is cancelled is waiting for one's turn: a write that has begun ends, one way or the other.
/// </summary>
internal sealed class SqliteDatabase : IDatabase
{
    private readonly SqliteConnection _connection;
    private readonly string _path;
    private readonly SemaphoreSlim _turn = new(1, 1);

    static SqliteDatabase() => Batteries_V2.Init();

    private SqliteDatabase(string path, SqliteConnection connection) => (_path, _connection) = (path, connection);

    /// <summary>Opens a file that is there.</summary>
    public static SqliteDatabase Open(string path, TimeSpan busyWait)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWrite,
            ForeignKeys = true,
            Pooling = false,
            // The driver itself tries again until this has passed, also where SQLite does not wait; 0 would mean for ever.
            DefaultTimeout = Math.Max(1, (int)busyWait.TotalSeconds),
        }.ConnectionString);
        try
        {
            connection.Open();
            Prepare(connection, path, busyWait);
            return new SqliteDatabase(path, connection);
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw SqliteFailures.Describe(e, path);
        }
        catch (StoreException)
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The file is on this machine.</summary>
    public TimeSpan ClockOffset => TimeSpan.Zero;

    /// <summary>Reads, in turn with this process's other callers.</summary>
    public Task<T> ReadAsync<T>(Func<DbConnection, T> read, CancellationToken ct) => InTurnAsync(() => read(_connection), ct);

    /// <summary>Writes in a transaction that is durable when the task completes, and leaves no trace when it fails.</summary>
    public Task<T> WriteAsync<T>(Func<DbTransaction, T> write, CancellationToken ct) => InTurnAsync(
        () =>
        {
            // SQLite goes on writing to a file that was deleted or moved away, and all of it would be lost.
            if (!File.Exists(_path))
            {
                throw new StoreException($"The state file {_path} was moved or deleted while it was in use. Put it back and resume the run.");
            }

            var transaction = _connection.BeginTransaction(deferred: false);
            try
            {
                var result = write(transaction);
                transaction.Commit();
                return result;
            }
            finally
            {
                End(transaction);
            }
        },
        ct);

    // On a full disk SQLite rolls back by itself; that there is nothing left to roll back must not hide why.
    private static void End(SqliteTransaction transaction)
    {
        try
        {
            transaction.Dispose();
        }
        catch (SqliteException e) when (e.SqliteErrorCode == raw.SQLITE_ERROR)
        {
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _connection.Dispose();
        _turn.Dispose();
    }

    private static void Prepare(SqliteConnection connection, string path, TimeSpan busyWait)
    {
        connection.Execute($"PRAGMA busy_timeout = {(int)busyWait.TotalMilliseconds}");
        if (raw.sqlite3_db_readonly(connection.Handle, "main") == 1)
        {
            throw new StoreException(SqliteFailures.ReadOnlyFile(path));
        }

        // Before anything is changed: the next lines would turn another program's file into a WAL one.
        SqliteSchema.Check(connection, path, SqliteSchema.Versions.Count);
        if (connection.ExecuteScalar<string>("PRAGMA journal_mode = WAL") != "wal")
        {
            throw new StoreException(
                $"The file system of {path} has no shared memory for several processes, as network drives do not. "
                + "Name a file on a local disk with --state.");
        }

        connection.Execute("PRAGMA synchronous = FULL");
        SqliteSchema.Upgrade(connection, path, SqliteSchema.Versions);
    }

    private async Task<T> InTurnAsync<T>(Func<T> action, CancellationToken ct)
    {
        await _turn.WaitAsync(ct);
        try
        {
            return action();
        }
        catch (SqliteException e)
        {
            throw SqliteFailures.Describe(e, _path);
        }
        finally
        {
            _turn.Release();
        }
    }
}
