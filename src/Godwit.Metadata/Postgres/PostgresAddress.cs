using System.Text.RegularExpressions;
using Npgsql;

namespace Godwit.Metadata.Postgres;

/// <summary>A PostgreSQL database as a person names it: <c>postgresql://USER@HOST:PORT/DATABASE</c>.</summary>
public static partial class PostgresAddress
{
    /// <summary>Whether a text is meant as one.</summary>
    public static bool IsMeant(string text) => Form().IsMatch(text);

    /// <summary>What Npgsql reads; null when it is no such address.</summary>
    public static string? ConnectionString(string text)
    {
        // A password with a / in it would be taken for a database, so only what cannot be anything else is accepted.
        if (!IsMeant(text) || !Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0
            || Uri.UnescapeDataString(uri.AbsolutePath.Trim('/')) is not { Length: > 0 } database || uri.AbsolutePath.Trim('/').AsSpan().ContainsAny('/', '@'))
        {
            return null;
        }

        var login = uri.UserInfo.Split(':', 2).Select(Uri.UnescapeDataString).ToList();
        return new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host,
            Port = uri.Port > 0 ? uri.Port : 5432,
            Database = database,
            Username = login[0].Length > 0 ? login[0] : null,
            Password = login is [_, { Length: > 0 } password] ? password : null,
        }.ConnectionString;
    }

    /// <summary>The sentence for a text that is none; it repeats no password.</summary>
    public static string Complaint(string text) =>
        $"'{(text.LastIndexOf('@') is >= 0 and var at ? $"…{text[at..]}" : text)}' is not an address such as postgresql://godwit@db.example:5432/app.";

    [GeneratedRegex("^postgres(ql)?://", RegexOptions.IgnoreCase)]
    private static partial Regex Form();
}
