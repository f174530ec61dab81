using Godwit.Metadata;
using Godwit.Metadata.Postgres;
using Godwit.Metadata.Sqlite;
using Npgsql;

namespace Godwit.Cli.Arguments;

/// <summary>Where runs are kept: a file, or <c>postgresql://USER@HOST:PORT/DATABASE</c>.</summary>
internal static class StoreAddress
{
    private static readonly string[] Schemes = ["postgresql://", "postgres://"];

    /// <summary>Whether a text names a PostgreSQL database.</summary>
    public static bool IsPostgres(string text) => Schemes.Any(s => text.StartsWith(s, StringComparison.Ordinal));

    /// <summary>What is wrong with the address of a PostgreSQL database; null when it can be used.</summary>
    public static string? Problem(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.AbsolutePath.Trim('/').Length == 0)
        {
            return $"--state: '{SecretFree(text)}' is not an address such as postgresql://godwit@db.example:5432/app.";
        }

        return uri.UserInfo.Contains(':', StringComparison.Ordinal)
            ? "--state holds a password, which other users of this machine can see: leave it out, and name it in PGPASSWORD or in a PGPASSFILE."
            : null;
    }

    /// <summary>Opens the store.</summary>
    public static async Task<IStore> OpenAsync(string address, bool create, CancellationToken ct)
    {
        if (!IsPostgres(address))
        {
            return await SqliteStore.OpenAsync(address, create: create, ct: ct);
        }

        var uri = new Uri(address);
        return PostgresStore.Open(new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host,
            Port = uri.Port > 0 ? uri.Port : 5432,
            Database = Uri.UnescapeDataString(uri.AbsolutePath.Trim('/')),
            Username = uri.UserInfo.Length > 0 ? Uri.UnescapeDataString(uri.UserInfo) : null,
        }.ConnectionString);
    }

    private static string SecretFree(string text) => text.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at ? $"…{text[at..]}" : text;
}
