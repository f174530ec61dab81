using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Godwit.Metadata.Accounts;
using Godwit.Metadata.Postgres;
using Godwit.Metadata.Sqlite;
using Npgsql;

namespace Godwit.Metadata;

/// <summary>Where runs are kept: in a file on this machine, or in PostgreSQL. Checked by <see cref="Problems"/> before it is opened.</summary>
/// <example><code>
/// var one = StoreLocation.Sqlite("/var/lib/app/godwit.db");
/// var many = StoreLocation.Postgres("Host=db;Database=app;Username=godwit");
/// </code></example>
public sealed partial class StoreLocation
{
    private readonly string _connection;
    private readonly string _schema;

    private StoreLocation(string? file, string connection, string schema) => (File, _connection, _schema) = (file, connection, schema);

    /// <summary>The file; null when runs are kept in PostgreSQL.</summary>
    public string? File { get; }

    /// <summary>Whether it names a password: such a location does not belong on a command line.</summary>
    public bool HoldsPassword => Builder(_connection) is { Password.Length: > 0 };

    /// <summary>A file, for processes of one machine. It must be on a local disk.</summary>
    /// <param name="file">The file; it and its folders are made when they are missing.</param>
    public static StoreLocation Sqlite(string file) => new(file ?? "", "", "");

    /// <summary>A schema in PostgreSQL, for processes on several machines.</summary>
    /// <param name="connectionString">As Npgsql reads it.</param>
    /// <param name="schema">The schema that the tables are in; made when it is missing.</param>
    public static StoreLocation Postgres(string? connectionString, string schema = "godwit") => new(null, connectionString ?? "", schema);

    /// <summary>
    /// Reads what a person writes: <c>postgresql://USER@HOST:PORT/DATABASE</c>, a connection string with a <c>Host</c>, or the name of a file.
    /// </summary>
    /// <returns>False, with a sentence in <paramref name="error"/> that repeats no password.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out StoreLocation? location, [NotNullWhen(false)] out string? error)
    {
        var trimmed = text?.Trim() ?? "";
        location = PostgresAddress.IsMeant(trimmed) ? OfAddress(trimmed) : HostForm().IsMatch(trimmed) ? Postgres(trimmed) : Sqlite(trimmed);
        error = location is null
            ? PostgresAddress.Complaint(trimmed)
            : location.Problems() is [var problem, ..] ? problem : null;
        location = error is null ? location : null;
        return error is null;
    }

    /// <summary>Everything that is wrong with it, a sentence each; empty when it can be opened. Looks at no disk and no server.</summary>
    public IReadOnlyList<string> Problems() => (File, Builder(_connection)) switch
    {
        ({ } file, _) when string.IsNullOrWhiteSpace(file) => ["The name of the state file is empty."],
        ({ }, _) => [],
        (null, _) when string.IsNullOrWhiteSpace(_connection) => ["The connection string of the store is empty."],

        // Npgsql's own words may hold a part of a password that was not quoted.
        (null, null) => ["The connection string of the store cannot be read: look at its keywords, and put quotes around a password that holds a ; or a quote."],
        (null, { Host: null or "" }) => ["The connection string of the store names no Host."],
        _ => string.IsNullOrWhiteSpace(_schema) ? ["The schema of the store is empty."] : [],
    };

    /// <summary>The same location, a relative file taken from a folder.</summary>
    public StoreLocation Under(string folder) => File is null ? this : new(Path.GetFullPath(File, Path.GetFullPath(folder)), _connection, _schema);

    /// <summary>
    /// Opens it as soon as something is asked of it: a disk or a database that is away is told of by what is asked, and used when it is back.
    /// </summary>
    /// <exception cref="ArgumentException">It has <see cref="Problems"/>.</exception>
    public IStore Open(TimeProvider? clock = null)
    {
        if (Problems() is [var problem, ..])
        {
            throw new ArgumentException(problem);
        }

        return File is { } file ? SqliteStore.Open(file, clock) : PostgresStore.Open(_connection, _schema, clock);
    }

    /// <summary>Opens the accounts that are kept in the same place, as <see cref="Open"/> does.</summary>
    /// <exception cref="ArgumentException">It has <see cref="Problems"/>.</exception>
    public IAccountStore OpenAccounts(TimeProvider? clock = null)
    {
        if (Problems() is [var problem, ..])
        {
            throw new ArgumentException(problem);
        }

        return new AccountStore(File is { } file ? SqliteStore.OpenDatabase(file) : PostgresStore.OpenDatabase(_connection, _schema, clock));
    }

    /// <summary>The file, or host:port/database; never a password.</summary>
    public override string ToString() => File ?? (Builder(_connection) is { } builder ? $"{builder.Host}:{builder.Port}/{builder.Database}" : "(unreadable)");

    private static StoreLocation? OfAddress(string text) => PostgresAddress.ConnectionString(text) is { } connection ? Postgres(connection) : null;

    private static NpgsqlConnectionStringBuilder? Builder(string connection)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connection);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"(^|;)\s*(host|server)\s*=", RegexOptions.IgnoreCase)]
    private static partial Regex HostForm();
}
