using Godwit.Metadata;
using Godwit.Metadata.Postgres;
using Godwit.Metadata.Sqlite;

namespace Godwit.Cli.Arguments;

/// <summary>Where runs are kept: a file, or a PostgreSQL database.</summary>
internal static class StoreAddress
{
    /// <summary>Opens the store.</summary>
    public static async Task<IStore> OpenAsync(string address, bool create, CancellationToken ct) => PostgresAddress.Is(address)
        ? PostgresStore.Open(PostgresAddress.ConnectionString(address))
        : await SqliteStore.OpenAsync(address, create: create, ct: ct);
}
