using Dapper;
using Npgsql;

namespace Godwit.Metadata.Postgres;

/// <summary>Makes and upgrades the tables in PostgreSQL.</summary>
internal static class PostgresSchema
{
    private static readonly IReadOnlyList<string> Versions = StoreSchema.Versions("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY");

    /// <summary>Brings the schema to the newest version, all or nothing; two that come at once do it once.</summary>
    /// <exception cref="StoreException">A newer Godwit made it.</exception>
    public static void Upgrade(NpgsqlConnection connection, string schema, string name, Action<NpgsqlConnection, NpgsqlTransaction> lockWriters)
    {
        using var transaction = connection.BeginTransaction();
        lockWriters(connection, transaction);
        connection.Execute($"CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)", transaction: transaction);
        var version = connection.ExecuteScalar<long?>("SELECT version FROM schema_version", transaction: transaction) ?? 0;
        if (version > Versions.Count)
        {
            throw new StoreException(
                $"The schema {schema} in {name} was written by a newer Godwit (schema {version}, this one knows {Versions.Count}). Use that version, or name another schema.");
        }

        foreach (var script in Versions.Skip((int)version))
        {
            connection.Execute(script, transaction: transaction);
        }

        if (version < Versions.Count)
        {
            connection.Execute("DELETE FROM schema_version; INSERT INTO schema_version VALUES (@Count)", new { Versions.Count }, transaction);
        }

        transaction.Commit();
    }
}
