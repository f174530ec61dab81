using System.Data.Common;
using Godwit.ClickHouse;

namespace Godwit.Runs;

/// <summary>What is needed of the application's PostgreSQL, through ADO.NET alone: the library does not bring a driver.</summary>
internal static class PostgreSqlSource
{
    /// <summary>What is said when there is none.</summary>
    public const string Missing = "No PostgreSQL was given. Name it with --postgres postgresql://USER@HOST/DATABASE, and its password in PGPASSWORD.";

    private const string QueryCanceled = "57014";

    // A lost connection, a deadlock, too little of something, a lock that was not to be had, a shutdown. A failure without SQLSTATE is one of the connection.
    // https://www.postgresql.org/docs/current/errcodes-appendix.html
    private static readonly string[] Passing = ["08", "40", "53", "55P03", "57P"];

    /// <summary>host:port/database, for people; never the login.</summary>
    public static string NameOf(DbDataSource source)
    {
        var parts = new DbConnectionStringBuilder { ConnectionString = source.ConnectionString };
        string Part(string key, string otherwise) => parts.TryGetValue(key, out var value) ? (string)value : otherwise;
        return $"{Part("Host", "localhost")}:{Part("Port", "5432")}/{Part("Database", "postgres")}";
    }

    /// <summary>Works with a connection.</summary>
    /// <exception cref="OutcomeUnknownException">The connection was lost, or the server is in trouble that may pass.</exception>
    /// <exception cref="StepFailedException">The server refuses, or there is none.</exception>
    public static async Task UseAsync(StepContext context, Func<DbConnection, Task> work, CancellationToken ct)
    {
        var source = context.Services.PostgreSql ?? throw new StepFailedException(Missing);
        try
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            await work(connection);
        }
        catch (DbException e) when (!ct.IsCancellationRequested)
        {
            throw Explain(e, NameOf(source), context.Step.Description);
        }
    }

    private static Exception Explain(DbException e, string server, string step)
    {
        var said = string.Join(' ', SecretMask.Apply(e.Message).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.');
        if (e.SqlState == QueryCanceled)
        {
            return new StepFailedException($"\"{step}\" took longer than its timeout, and was ended. Allow it more, or find out what it waits for; then `resume`.");
        }

        return e.SqlState is not { } state || Array.Exists(Passing, p => state.StartsWith(p, StringComparison.Ordinal))
            ? new OutcomeUnknownException($"PostgreSQL {server}: {said}.", e)
            : new StepFailedException($"PostgreSQL {server} refused \"{step}\": {said}. Mend the cause, then `resume`, or `rollback`.");
    }
}
