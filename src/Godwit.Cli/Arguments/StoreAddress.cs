using Godwit.Metadata;
using Godwit.Metadata.Sqlite;

namespace Godwit.Cli.Arguments;

/// <summary>Where runs are kept: a file, or <c>postgresql://USER@HOST:PORT/DATABASE</c>.</summary>
internal static class StoreAddress
{
    /// <summary>Whether a text names a PostgreSQL database, or tries to.</summary>
    public static bool IsPostgres(string text) => !StoreLocation.TryParse(text, out var location, out _) || location.File is null;

    /// <summary>What is wrong with the address of a PostgreSQL database; null when it can be used.</summary>
    public static string? Problem(string text)
    {
        if (!StoreLocation.TryParse(text, out var location, out var error))
        {
            return $"--state: {error}";
        }

        return PasswordProblem("--state", location.HoldsPassword).FirstOrDefault();
    }

    /// <summary>What is wrong with a password on the command line.</summary>
    public static IEnumerable<string> PasswordProblem(string option, bool isThere) => isThere
        ? [$"{option} holds a password, which other users of this machine can see: leave it out, and name it in PGPASSWORD or in a PGPASSFILE."]
        : [];

    /// <summary>Opens the store.</summary>
    public static async Task<IStore> OpenAsync(string address, bool create, CancellationToken ct)
    {
        if (!StoreLocation.TryParse(address, out var location, out var error))
        {
            throw new StoreException(error);
        }

        return location.File is { } file ? await SqliteStore.OpenAsync(file, create: create, ct: ct) : location.Open();
    }
}
