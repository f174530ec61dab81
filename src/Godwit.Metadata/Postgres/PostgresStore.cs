using Npgsql;

namespace Godwit.Metadata.Postgres;

/// <summary>
/// A store in PostgreSQL, for workers on several machines. Leases run by the database's clock, so those of the machines need not agree.
/// </summary>
/// <example><code>await using var store = PostgresStore.Open("Host=db;Database=app;Username=godwit");</code></example>
public static class PostgresStore
{
    /// <summary>
    /// Prepares a store. Nothing is sent yet: a database that is away is told of when something is asked of it, and used as soon as it is back. Its
    /// tables are made or upgraded in place by the first one who comes.
    /// </summary>
    /// <param name="connectionString">As Npgsql reads it.</param>
    /// <param name="schema">The schema that the tables are in; made when it is missing.</param>
    /// <param name="clock">This machine's clock.</param>
    /// <exception cref="ArgumentException">The connection string cannot be read.</exception>
    public static IStore Open(string connectionString, string schema = "godwit", TimeProvider? clock = null) =>
        Open(connectionString, schema, clock ?? TimeProvider.System, usesDatabaseClock: true);

    internal static IStore Open(string connectionString, string schema, TimeProvider clock, bool usesDatabaseClock)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        ArgumentException.ThrowIfNullOrWhiteSpace(schema);
        return new Store(OpenDatabase(connectionString, schema, usesDatabaseClock ? clock : null), clock);
    }

    internal static IDatabase OpenDatabase(string connectionString, string schema, TimeProvider? clock)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = "godwit" };
        var name = $"{builder.Host}:{builder.Port}/{builder.Database}";
        return new PostgresDatabase(NpgsqlDataSource.Create(builder), schema, name, clock);
    }
}
