namespace Godwit.Metadata.Accounts;

/// <summary>
/// Where the people and programs are kept that may use the server, beside the runs. Secrets come and go as hashes only. Every write is
/// durable when its task completes.
/// </summary>
public interface IAccountStore : IAsyncDisposable
{
    /// <summary>All users, by name.</summary>
    Task<IReadOnlyList<UserRecord>> ListUsersAsync(CancellationToken ct = default);

    /// <summary>The user of that name; null when there is none.</summary>
    Task<UserRecord?> FindUserAsync(string name, CancellationToken ct = default);

    /// <summary>The user whom an identity provider calls so; null when there is none.</summary>
    Task<UserRecord?> FindSubjectAsync(string subject, CancellationToken ct = default);

    /// <summary>Makes a user.</summary>
    /// <param name="user">The user.</param>
    /// <param name="onlyAsFirst">Whether it is made only while there is no other one.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>False when there is one of that name, or for that subject, already, or when it would not be the first.</returns>
    Task<bool> AddUserAsync(UserRecord user, bool onlyAsFirst = false, CancellationToken ct = default);

    /// <summary>Changes a user as it is at that moment; nobody else changes it, or any other one, meanwhile.</summary>
    /// <returns>
    /// The user as it is now; null when there is none of that name, when <paramref name="change"/> declined by returning null, or when it was the
    /// only one that <see cref="UserRecord.KeepsDoor"/> and would not any more.
    /// </returns>
    Task<UserRecord?> ChangeUserAsync(string name, Func<UserRecord, UserRecord?> change, CancellationToken ct = default);

    /// <summary>Removes a user with its sessions and tokens.</summary>
    /// <returns>False when there is none of that name, or when it is the only one that <see cref="UserRecord.KeepsDoor"/>.</returns>
    Task<bool> RemoveUserAsync(string name, CancellationToken ct = default);

    /// <summary>Keeps a new session.</summary>
    Task AddSessionAsync(SessionRecord session, CancellationToken ct = default);

    /// <summary>Says until when a session is good; does nothing when it has ended.</summary>
    Task ProlongSessionAsync(string id, DateTimeOffset until, CancellationToken ct = default);

    /// <summary>The session of that id; null when there is none.</summary>
    Task<SessionRecord?> FindSessionAsync(string id, CancellationToken ct = default);

    /// <summary>Ends a session.</summary>
    Task RemoveSessionAsync(string id, CancellationToken ct = default);

    /// <summary>All tokens, the newest first.</summary>
    Task<IReadOnlyList<TokenRecord>> ListTokensAsync(CancellationToken ct = default);

    /// <summary>The token of that id; null when there is none.</summary>
    Task<TokenRecord?> FindTokenAsync(string id, CancellationToken ct = default);

    /// <summary>Keeps a new token.</summary>
    /// <returns>False when its user is gone.</returns>
    Task<bool> AddTokenAsync(TokenRecord token, CancellationToken ct = default);

    /// <summary>Notes when a token was used last.</summary>
    Task TouchTokenAsync(string id, DateTimeOffset at, CancellationToken ct = default);

    /// <summary>Takes a token away.</summary>
    Task RemoveTokenAsync(string id, CancellationToken ct = default);

    /// <summary>The keys that protect cookies and forms, as XML.</summary>
    Task<IReadOnlyList<string>> ListKeysAsync(CancellationToken ct = default);

    /// <summary>Keeps a key.</summary>
    Task PutKeyAsync(string id, string body, CancellationToken ct = default);

    /// <summary>
    /// Says that a request with this key is being answered, unless one was before. What is kept longer than a day is forgotten.
    /// </summary>
    /// <returns>What is kept of an earlier request with this key; null when this is the first one.</returns>
    Task<AnswerRecord?> BeginAnswerAsync(string who, string key, string request, DateTimeOffset at, CancellationToken ct = default);

    /// <summary>Keeps what was answered; no status forgets that the request came.</summary>
    Task EndAnswerAsync(string who, string key, int? status, string? body, CancellationToken ct = default);

    /// <summary>Forgets what has expired.</summary>
    Task SweepAsync(DateTimeOffset now, CancellationToken ct = default);
}

/// <summary>What somebody may do; each one may also do what those before it may.</summary>
public enum Role
{
    /// <summary>Looks.</summary>
    Viewer,

    /// <summary>Starts and steers runs, and changes settings.</summary>
    Operator,

    /// <summary>Makes users and tokens for others.</summary>
    Admin,
}

/// <summary>Somebody who may use the server.</summary>
/// <param name="Name">The name to log in with.</param>
/// <param name="Role">What it may do.</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
public sealed record UserRecord(string Name, Role Role, DateTimeOffset CreatedAt)
{
    /// <summary>The hash of the password; null for somebody who only comes by way of an identity provider.</summary>
    public string? Password { get; init; }

    /// <summary>What an identity provider calls it, with the provider's address before it; null for nobody it knows.</summary>
    public string? Subject { get; init; }

    /// <summary>When it logged in last (UTC).</summary>
    public DateTimeOffset? SeenAt { get; init; }

    /// <summary>Wrong passwords in a row.</summary>
    public int Failures { get; init; }

    /// <summary>Until when nobody can log in with its password (UTC).</summary>
    public DateTimeOffset? LockedUntil { get; init; }

    /// <summary>Another one ends all sessions that were begun with the present one.</summary>
    public string Stamp { get; init; } = "";

    /// <summary>Whether it is an admin that can log in without an identity provider: one of those must always be left, or nobody could mend anything.</summary>
    public bool KeepsDoor => Role == Role.Admin && Password is not null;
}

/// <summary>Somebody who is logged in.</summary>
/// <param name="Id">The hash of what the cookie holds.</param>
/// <param name="User">Who.</param>
/// <param name="Stamp">The user's <see cref="UserRecord.Stamp"/> when it began; it is good only for as long as that is the same.</param>
/// <param name="BeganAt">Since when (UTC).</param>
/// <param name="ExpiresAt">Until when (UTC).</param>
public sealed record SessionRecord(string Id, string User, string Stamp, DateTimeOffset BeganAt, DateTimeOffset ExpiresAt);

/// <summary>A token that a program uses.</summary>
/// <param name="Id">Its public part.</param>
/// <param name="Hash">The hash of its secret part.</param>
/// <param name="Name">What it is for.</param>
/// <param name="User">Whose it is; it can do no more than its user, and goes with it.</param>
/// <param name="Role">The most that it may do.</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
/// <param name="ExpiresAt">Until when it is good (UTC).</param>
public sealed record TokenRecord(string Id, string Hash, string Name, string User, Role Role, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt)
{
    /// <summary>When it was used last (UTC), to the minute.</summary>
    public DateTimeOffset? UsedAt { get; init; }
}

/// <summary>What is kept of a request that must not be done twice.</summary>
/// <param name="Request">A hash of the request: another one with the same key is a mistake.</param>
/// <param name="Status">The answer's status; null while it is being answered.</param>
/// <param name="Body">The answer's body.</param>
public sealed record AnswerRecord(string Request, int? Status, string? Body);
