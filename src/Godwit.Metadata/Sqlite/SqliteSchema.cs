using Dapper;
using Microsoft.Data.Sqlite;

namespace Godwit.Metadata.Sqlite;

/// <summary>The tables of a state file and their versions.</summary>
internal static class SqliteSchema
{
    /// <summary>"GDWT": how a state file is told from another program's SQLite file.</summary>
    public const int ApplicationId = 0x47445754;

    /// <summary>What leads from each version to the next.</summary>
    public static readonly IReadOnlyList<string> Versions = StoreSchema.Versions("INTEGER PRIMARY KEY");

    /// <summary>Refuses a file that is not a state file or is of a newer schema. Changes nothing.</summary>
    public static void Check(SqliteConnection connection, string path, int known)
    {
        // In this order: another process may make the tables and write the id, both at once, between these two looks.
        var isEmpty = connection.ExecuteScalar<long>("SELECT count(*) FROM sqlite_master") == 0;
        var applicationId = connection.ExecuteScalar<long>("PRAGMA application_id");
        if (applicationId != ApplicationId && !(isEmpty && applicationId == 0))
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
