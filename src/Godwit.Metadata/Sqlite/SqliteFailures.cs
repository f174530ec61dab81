using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Godwit.Metadata.Sqlite;

/// <summary>What SQLite's errors mean for a person who has a run to finish.</summary>
internal static class SqliteFailures
{
    /// <summary>The sentences for an error of SQLite on this file.</summary>
    public static StoreException Describe(SqliteException error, string path) => new(
        error.SqliteErrorCode switch
        {
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED =>
                $"The state file {path} stays locked by another process. "
                + "Look for a hung `godwit` or for a tool that has the file open, end it, and try again.",
            raw.SQLITE_NOTADB =>
                $"{path} is not a state file of Godwit: it is not an SQLite file. Name another file with --state.",
            raw.SQLITE_CORRUPT =>
                $"The state file {path} is damaged. Restore it from a copy; nothing was changed on the servers by this.",
            raw.SQLITE_FULL =>
                $"The disk that holds the state file {path} is full. Free some space and resume the run.",
            raw.SQLITE_READONLY or raw.SQLITE_PERM or raw.SQLITE_AUTH => ReadOnlyFile(path),
            raw.SQLITE_CANTOPEN =>
                $"The state file {path} cannot be opened. Make sure that this user may write to the file and to its folder, "
                + "or name another file with --state.",
            raw.SQLITE_IOERR =>
                $"The disk refused to read or write the state file {path} (SQLite error {error.SqliteExtendedErrorCode}). "
                + "Look at the disk and at the free space, then resume the run.",
            _ =>
                $"The state file {path} cannot be used (SQLite error {error.SqliteExtendedErrorCode}: {error.Message}). "
                + "Name another file with --state, or restore this one from a copy.",
        },
        error);

    /// <summary>The state file may not be written to.</summary>
    public static string ReadOnlyFile(string path) =>
        $"The state file {path} is read-only for this user. Give this user the right to write to the file and to its folder, "
        + "or name another file with --state.";
}
