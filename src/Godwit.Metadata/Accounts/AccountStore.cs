using System.Data.Common;
using Dapper;

namespace Godwit.Metadata.Accounts;

/// <summary>Accounts, in SQL that every database below understands alike.</summary>
internal sealed class AccountStore(IDatabase database) : IAccountStore
{
    private const string UserColumns =
        "name AS Name, role AS Role, password AS Password, subject AS Subject, created_at AS CreatedAt, seen_at AS SeenAt, failures AS Failures, locked_until AS LockedUntil, stamp AS Stamp";

    private const string TokenColumns =
        "id AS Id, hash AS Hash, name AS Name, user_name AS UserName, role AS Role, created_at AS CreatedAt, expires_at AS ExpiresAt, used_at AS UsedAt";

    private static readonly long Day = (long)TimeSpan.FromDays(1).TotalMilliseconds;

    public Task<IReadOnlyList<UserRecord>> ListUsersAsync(CancellationToken ct = default) => database.ReadAsync<IReadOnlyList<UserRecord>>(
        db => [.. db.Query<UserRow>($"SELECT {UserColumns} FROM users ORDER BY name").Select(r => r.ToRecord())], ct);

    public Task<UserRecord?> FindUserAsync(string name, CancellationToken ct = default) => FindUserAsync("name", name, ct);

    public Task<UserRecord?> FindSubjectAsync(string subject, CancellationToken ct = default) => FindUserAsync("subject", subject, ct);

    public Task<bool> AddUserAsync(UserRecord user, bool onlyAsFirst = false, CancellationToken ct = default) => database.WriteAsync(
        tx => (!onlyAsFirst || tx.Connection!.ExecuteScalar<long>("SELECT count(*) FROM users", transaction: tx) == 0) && tx.Change(
            """
            INSERT INTO users (name, role, password, subject, created_at, seen_at, failures, locked_until, stamp)
            VALUES (@Name, @Role, @Password, @Subject, @CreatedAt, @SeenAt, @Failures, @LockedUntil, @Stamp) ON CONFLICT DO NOTHING
            """,
            UserRow.From(user)) == 1,
        ct);

    public Task<UserRecord?> ChangeUserAsync(string name, Func<UserRecord, UserRecord?> change, CancellationToken ct = default) => database.WriteAsync(
        tx =>
        {
            var present = tx.Connection!.QuerySingleOrDefault<UserRow>($"SELECT {UserColumns} FROM users WHERE name = @name", new { name }, tx)?.ToRecord();
            if (present is null || change(present) is not { } changed || (present.KeepsDoor && !changed.KeepsDoor && !IsKeptByOthers(tx, name)))
            {
                return null;
            }

            tx.Change(
                """
                UPDATE users SET role = @Role, password = @Password, subject = @Subject, seen_at = @SeenAt, failures = @Failures, locked_until = @LockedUntil, stamp = @Stamp
                WHERE name = @Name
                """,
                UserRow.From(changed with { Name = name }));
            return changed;
        },
        ct);

    public Task<bool> RemoveUserAsync(string name, CancellationToken ct = default) => database.WriteAsync(
        tx =>
        {
            if (tx.Connection!.QuerySingleOrDefault<UserRow>($"SELECT {UserColumns} FROM users WHERE name = @name", new { name }, tx)?.ToRecord() is not { } user
                || (user.KeepsDoor && !IsKeptByOthers(tx, name)))
            {
                return false;
            }

            tx.Change("DELETE FROM sessions WHERE user_name = @name", new { name });
            tx.Change("DELETE FROM tokens WHERE user_name = @name", new { name });
            tx.Change("DELETE FROM users WHERE name = @name", new { name });
            return true;
        },
        ct);

    public Task AddSessionAsync(SessionRecord session, CancellationToken ct = default) => database.WriteAsync(
        tx => tx.Change(
            "INSERT INTO sessions (id, user_name, stamp, began_at, expires_at) VALUES (@Id, @User, @Stamp, @began, @expires)",
            new { session.Id, session.User, session.Stamp, began = session.BeganAt.ToUnixTimeMilliseconds(), expires = session.ExpiresAt.ToUnixTimeMilliseconds() }),
        ct);

    public Task ProlongSessionAsync(string id, DateTimeOffset until, CancellationToken ct = default) => database.WriteAsync(
        tx => tx.Change("UPDATE sessions SET expires_at = @until WHERE id = @id", new { id, until = until.ToUnixTimeMilliseconds() }), ct);

    public Task<SessionRecord?> FindSessionAsync(string id, CancellationToken ct = default) => database.ReadAsync(
        db => db.QuerySingleOrDefault<SessionRow>(
            "SELECT id AS Id, user_name AS UserName, stamp AS Stamp, began_at AS BeganAt, expires_at AS ExpiresAt FROM sessions WHERE id = @id", new { id })?.ToRecord(),
        ct);

    public Task RemoveSessionAsync(string id, CancellationToken ct = default) => database.WriteAsync(tx => tx.Change("DELETE FROM sessions WHERE id = @id", new { id }), ct);

    public Task<IReadOnlyList<TokenRecord>> ListTokensAsync(CancellationToken ct = default) => database.ReadAsync<IReadOnlyList<TokenRecord>>(
        db => [.. db.Query<TokenRow>($"SELECT {TokenColumns} FROM tokens ORDER BY created_at DESC, id").Select(r => r.ToRecord())], ct);

    public Task<TokenRecord?> FindTokenAsync(string id, CancellationToken ct = default) => database.ReadAsync(
        db => db.QuerySingleOrDefault<TokenRow>($"SELECT {TokenColumns} FROM tokens WHERE id = @id", new { id })?.ToRecord(), ct);

    public Task<bool> AddTokenAsync(TokenRecord token, CancellationToken ct = default) => database.WriteAsync(
        tx => tx.Connection!.ExecuteScalar<long>("SELECT count(*) FROM users WHERE name = @User", new { token.User }, tx) == 1 && tx.Change(
            "INSERT INTO tokens (id, hash, name, user_name, role, created_at, expires_at) VALUES (@Id, @Hash, @Name, @User, @role, @created, @expires)",
            new
            {
                token.Id,
                token.Hash,
                token.Name,
                token.User,
                role = token.Role.ToString(),
                created = token.CreatedAt.ToUnixTimeMilliseconds(),
                expires = token.ExpiresAt.ToUnixTimeMilliseconds(),
            }) == 1,
        ct);

    public Task TouchTokenAsync(string id, DateTimeOffset at, CancellationToken ct = default) => database.WriteAsync(
        tx => tx.Change("UPDATE tokens SET used_at = @at WHERE id = @id", new { id, at = at.ToUnixTimeMilliseconds() }), ct);

    public Task RemoveTokenAsync(string id, CancellationToken ct = default) => database.WriteAsync(tx => tx.Change("DELETE FROM tokens WHERE id = @id", new { id }), ct);

    public Task<IReadOnlyList<string>> ListKeysAsync(CancellationToken ct = default) =>
        database.ReadAsync<IReadOnlyList<string>>(db => [.. db.Query<string>("SELECT body FROM keys ORDER BY id")], ct);

    public Task PutKeyAsync(string id, string body, CancellationToken ct = default) => database.WriteAsync(
        tx => tx.Change("INSERT INTO keys (id, body) VALUES (@id, @body) ON CONFLICT (id) DO UPDATE SET body = excluded.body", new { id, body }), ct);

    public Task<AnswerRecord?> BeginAnswerAsync(string who, string key, string request, DateTimeOffset at, CancellationToken ct = default) => database.WriteAsync(
        tx =>
        {
            var now = at.ToUnixTimeMilliseconds();
            tx.Change("DELETE FROM answers WHERE at < @old", new { old = now - Day });
            var isFirst = tx.Change(
                "INSERT INTO answers (who, key, request, at) VALUES (@who, @key, @request, @now) ON CONFLICT (who, key) DO NOTHING", new { who, key, request, now }) == 1;
            return isFirst ? null : tx.Connection!.QuerySingle<AnswerRow>(
                "SELECT request AS Request, status AS Status, body AS Body FROM answers WHERE who = @who AND key = @key", new { who, key }, tx).ToRecord();
        },
        ct);

    public Task EndAnswerAsync(string who, string key, int? status, string? body, CancellationToken ct = default) => database.WriteAsync(
        tx => status is null
            ? tx.Change("DELETE FROM answers WHERE who = @who AND key = @key", new { who, key })
            : tx.Change("UPDATE answers SET status = @status, body = @body WHERE who = @who AND key = @key", new { who, key, status = (long)status, body }),
        ct);

    public Task SweepAsync(DateTimeOffset now, CancellationToken ct = default) => database.WriteAsync(
        tx => tx.Change("DELETE FROM sessions WHERE expires_at < @now", new { now = now.ToUnixTimeMilliseconds() }), ct);

    public ValueTask DisposeAsync()
    {
        database.Dispose();
        return ValueTask.CompletedTask;
    }

    private static bool IsKeptByOthers(DbTransaction tx, string name) =>
        tx.Connection!.Query<UserRow>($"SELECT {UserColumns} FROM users WHERE name <> @name", new { name }, tx).Any(u => u.ToRecord().KeepsDoor);

    private Task<UserRecord?> FindUserAsync(string column, string value, CancellationToken ct) => database.ReadAsync(
        db => db.QuerySingleOrDefault<UserRow>($"SELECT {UserColumns} FROM users WHERE {column} = @value", new { value })?.ToRecord(), ct);
}
