using Dapper;
using Microsoft.Data.Sqlite;

namespace Godwit.Metadata.Sqlite;

/// <summary>The tables of a state file and their versions.</summary>
internal static class SqliteSchema
{
    /// <summary>"GDWT": how a state file is told from another program's SQLite file.</summary>
    public const int ApplicationId = 0x47445754;

    /// <summary>
    /// What leads from each version to the next; the first makes an empty file version 1. Plans stand apart from runs
    /// because SQLite rewrites a whole row, and a plan may have megabytes while a heartbeat writes every few seconds.
    /// </summary>
    public static readonly IReadOnlyList<string> Versions =
    [
        """
        CREATE TABLE runs (
            run_id TEXT NOT NULL PRIMARY KEY, migration TEXT NOT NULL, tables TEXT NOT NULL, instance TEXT NOT NULL,
            strategy TEXT, state TEXT NOT NULL, created_at INTEGER NOT NULL, started_at INTEGER,
            finished_at INTEGER, rollback_until INTEGER, cleaned_up INTEGER NOT NULL, problem TEXT,
            options TEXT NOT NULL, progress TEXT);
        CREATE TABLE plans (
            run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs, body TEXT NOT NULL, checksum TEXT NOT NULL);
        CREATE TABLE steps (
            run_id TEXT NOT NULL REFERENCES runs, step INTEGER NOT NULL, state TEXT NOT NULL, rows_done INTEGER NOT NULL,
            attempts INTEGER NOT NULL, PRIMARY KEY (run_id, step)) WITHOUT ROWID;
        CREATE TABLE journal (
            run_id TEXT NOT NULL REFERENCES runs, sequence INTEGER NOT NULL, step INTEGER NOT NULL, kind TEXT NOT NULL,
            name TEXT NOT NULL, payload TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (run_id, sequence));
        CREATE TABLE errors (
            id INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, step INTEGER, message TEXT NOT NULL,
            details TEXT, at INTEGER NOT NULL);
        CREATE INDEX errors_of_run ON errors (run_id, id);
        CREATE TABLE leases (
            run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs, owner TEXT, epoch INTEGER NOT NULL, expires_at INTEGER NOT NULL);
        CREATE TABLE requests (run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs, request TEXT NOT NULL);
        """,
    ];

    /// <summary>Refuses a file that is not a state file or is of a newer schema. Changes nothing.</summary>
    public static void Check(SqliteConnection connection, string path, int known)
    {
        var applicationId = connection.ExecuteScalar<long>("PRAGMA application_id");
        var isEmpty = applicationId == 0 && connection.ExecuteScalar<long>("SELECT count(*) FROM sqlite_master") == 0;
        if (applicationId != ApplicationId && !isEmpty)
        {
            throw new StoreException(
                $"{path} is an SQLite file of another program, not a state file of Godwit. Name another file with --state.");
        }

        var version = connection.ExecuteScalar<long>("PRAGMA user_version");
        if (version > known)
        {
            throw new StoreException(
                $"The state file {path} was written by a newer Godwit (schema {version}, this one knows {known}). "
                + "Use that version, or name another file with --state.");
        }
    }

    /// <summary>Brings a file to the newest of <paramref name="versions"/>, all or nothing.</summary>
    public static void Upgrade(SqliteConnection connection, string path, IReadOnlyList<string> versions)
    {
        if (connection.ExecuteScalar<long>("PRAGMA user_version") == versions.Count)
        {
            return;
        }

        using var transaction = connection.BeginTransaction(deferred: false);
        // Again, now that nobody else can write: another process may have upgraded the file, even past this version.
        Check(connection, path, versions.Count);
        var version = connection.ExecuteScalar<long>("PRAGMA user_version", transaction: transaction);
        foreach (var script in versions.Skip((int)version))
        {
            connection.Execute(script, transaction: transaction);
        }

        connection.Execute($"PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {versions.Count}", transaction: transaction);
        transaction.Commit();
    }
}
