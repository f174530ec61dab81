using Npgsql;

namespace Godwit.Cli.Arguments;

/// <summary>A PostgreSQL database as a person names it: <c>postgresql://USER@HOST:PORT/DATABASE</c>.</summary>
internal static class PostgresAddress
{
    private static readonly string[] Schemes = ["postgresql://", "postgres://"];

    /// <summary>Whether a text names one.</summary>
    public static bool Is(string text) => Schemes.Any(s => text.StartsWith(s, StringComparison.Ordinal));

    /// <summary>What is wrong with it; null when it can be used.</summary>
    /// <param name="option">Where it was written.</param>
    /// <param name="text">What was written.</param>
    public static string? Problem(string option, string text)
    {
        if (!Is(text) || !Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.AbsolutePath.Trim('/').Length == 0)
        {
            return $"{option}: '{SecretFree(text)}' is not an address such as postgresql://godwit@db.example:5432/app.";
        }

        return uri.UserInfo.Contains(':', StringComparison.Ordinal)
            ? $"{option} holds a password, which other users of this machine can see: leave it out, and name it in PGPASSWORD or in a PGPASSFILE."
            : null;
    }

    /// <summary>What the driver reads.</summary>
    public static string ConnectionString(string address)
    {
        var uri = new Uri(address);
        return new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host,
            Port = uri.Port > 0 ? uri.Port : 5432,
            Database = Uri.UnescapeDataString(uri.AbsolutePath.Trim('/')),
            Username = uri.UserInfo.Length > 0 ? Uri.UnescapeDataString(uri.UserInfo) : null,
        }.ConnectionString;
    }

    private static string SecretFree(string text) => text.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at ? $"…{text[at..]}" : text;
}
