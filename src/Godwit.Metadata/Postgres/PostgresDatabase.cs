using System.Data.Common;
using Dapper;
using Npgsql;

namespace Godwit.Metadata.Postgres;

/// <summary>A schema in a PostgreSQL database. Whoever writes holds a lock until its transaction ends, as SQLite has it for its file.</summary>
/// <param name="source">The database.</param>
/// <param name="schema">The schema.</param>
/// <param name="name">What it is called in sentences.</param>
/// <param name="local">This machine's clock, when leases run by the database's; null when they run by this machine's.</param>
internal sealed class PostgresDatabase(NpgsqlDataSource source, string schema, string name, TimeProvider? local) : IDatabase
{
    private static readonly TimeSpan OffsetLasts = TimeSpan.FromMinutes(1);

    /// <summary>A process that is frozen within a transaction would hold up all others for as long as it sleeps; PostgreSQL (9.6) throws it out.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private long? _measured;
    private bool _isReady;

    public TimeSpan ClockOffset { get; private set; }

    public Task<T> ReadAsync<T>(Func<DbConnection, T> read, CancellationToken ct) => WithConnectionAsync(connection => read(connection), ct);

    public async Task<T> WriteAsync<T>(Func<DbTransaction, T> write, CancellationToken ct)
    {
        try
        {
            return await TransactAsync(write, ct);
        }
        catch (StoreException e) when (e.InnerException is PostgresException { SqlState: PostgresFailures.SleptInTransaction })
        {
            // Nothing of it was kept, and a write looks for itself whether it is still allowed: so a machine that stood still for a while fails no run.
            return await TransactAsync(write, ct);
        }
    }

    private Task<T> TransactAsync<T>(Func<DbTransaction, T> write, CancellationToken ct) => WithConnectionAsync(
        connection =>
        {
            using var transaction = connection.BeginTransaction();
            LockWriters(connection, transaction);
            var result = write(transaction);
            transaction.Commit();
            return result;
        },
        ct);

    public void Dispose() => source.Dispose();

    // The store's calls are few and short; Dapper's are synchronous here, as they are for SQLite.
    private Task<T> WithConnectionAsync<T>(Func<NpgsqlConnection, T> action, CancellationToken ct) => Task.Run(
        () =>
        {
            try
            {
                using var connection = source.OpenConnection();
                connection.Execute($"SET search_path TO {Quoted}; SET idle_in_transaction_session_timeout = {LongestSleep.TotalMilliseconds:0}");
                GetReady(connection);
                return action(connection);
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                throw PostgresFailures.Describe(e, name);
            }
        },
        ct);

    private string Quoted => $"\"{schema.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private void GetReady(NpgsqlConnection connection)
    {
        lock (_gate)
        {
            if (!_isReady)
            {
                PostgresSchema.Upgrade(connection, Quoted, name, LockWriters);
                _isReady = true;
            }

            if (local is not null && (_measured is not { } last || local.GetElapsedTime(last) > OffsetLasts))
            {
                ClockOffset = new DateTimeOffset(connection.ExecuteScalar<DateTime>("SELECT clock_timestamp()").ToUniversalTime()) - local.GetUtcNow();
                _measured = local.GetTimestamp();
            }
        }
    }

    private void LockWriters(NpgsqlConnection connection, NpgsqlTransaction transaction) =>
        connection.Execute("SELECT pg_advisory_xact_lock(hashtextextended(@key, 0))", new { key = $"godwit.{schema}" }, transaction);
}
