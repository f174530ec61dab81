using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Godwit.Metadata.Accounts;
using Microsoft.AspNetCore.Identity;

namespace Godwit.Server.Access;

/// <summary>What came of a password.</summary>
internal enum LoginOutcome
{
    /// <summary>It is right.</summary>
    Welcome,

    /// <summary>There is nobody of that name who has a password.</summary>
    Unknown,

    /// <summary>The password is wrong.</summary>
    Wrong,

    /// <summary>Too many wrong ones; for a while none is looked at.</summary>
    Locked,
}

/// <summary>The users and their passwords.</summary>
internal sealed partial class Accounts(IAccountStore store, TimeProvider clock)
{
    /// <summary>The least characters of a password. There are no other rules: length is what counts.</summary>
    public const int ShortestPassword = 12;

    /// <summary>The most characters of a password.</summary>
    public const int LongestPassword = 200;

    /// <summary>After so many wrong passwords in a row nobody can log in by that name for a while.</summary>
    public const int MostFailures = 10;

    /// <summary>For how long.</summary>
    public static readonly TimeSpan LockOut = TimeSpan.FromMinutes(15);

    private static readonly UserRecord Nobody = new("", Role.Viewer, DateTimeOffset.UnixEpoch);
    private readonly PasswordHasher<UserRecord> _hasher = new();
    private readonly Lazy<string> _nobodys = new(() => new PasswordHasher<UserRecord>().HashPassword(Nobody, RandomNumberGenerator.GetHexString(32)));

    /// <summary>
    /// Looks at a password. The try is counted before that, so that a thousand at once get no more looks than a thousand in a row; and a hash is
    /// computed whether there is such a user or not.
    /// </summary>
    public async Task<(LoginOutcome Outcome, UserRecord? User)> LoginAsync(string name, string password, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var isPossible = password.Length <= LongestPassword;

        // What cannot be a name need not be something that the store can take either.
        var isName = NameForm().IsMatch(name);
        var user = isName ? await store.ChangeUserAsync(name, u => u.Password is null || u.LockedUntil > now ? null : Counted(u, now), ct) : null;
        var verdict = _hasher.VerifyHashedPassword(user ?? Nobody, user?.Password ?? _nobodys.Value, isPossible ? password : "");
        if (user is null)
        {
            return (isName && await store.FindUserAsync(name, ct) is { Password: not null } ? LoginOutcome.Locked : LoginOutcome.Unknown, null);
        }

        if (verdict == PasswordVerificationResult.Failed || !isPossible)
        {
            return (user.LockedUntil > now ? LoginOutcome.Locked : LoginOutcome.Wrong, null);
        }

        var hash = verdict == PasswordVerificationResult.SuccessRehashNeeded ? _hasher.HashPassword(user, password) : user.Password;
        var welcome = await store.ChangeUserAsync(
            name, u => u.Password == user.Password ? u with { Failures = 0, LockedUntil = null, SeenAt = now, Password = hash } : null, ct);
        return welcome is null ? (LoginOutcome.Wrong, null) : (LoginOutcome.Welcome, welcome);
    }

    /// <summary>Makes a user with a password.</summary>
    /// <returns>Everything that is wrong, one sentence each; empty when it was made.</returns>
    public Task<IReadOnlyList<string>> AddAsync(string name, Role role, string password, CancellationToken ct) => AddAsync(name, role, password, isFirst: false, ct);

    /// <summary>Makes the first user, an admin: of several who try at once, only one is made.</summary>
    /// <inheritdoc cref="AddAsync(string, Role, string, CancellationToken)" path="/returns"/>
    public Task<IReadOnlyList<string>> AddFirstAsync(string name, string password, CancellationToken ct) => AddAsync(name, Role.Admin, password, isFirst: true, ct);

    /// <summary>
    /// The user of somebody whom an identity provider vouches for, made when there is none. It is found by the provider's word for it alone: its
    /// name is only what it is called, and never leads to a user that was there.
    /// </summary>
    /// <param name="subject">What the provider calls it, with the provider's address before it.</param>
    /// <param name="wanted">What it would be called.</param>
    /// <param name="role">The role that its groups give it.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<UserRecord> OfProviderAsync(string subject, string wanted, Role role, CancellationToken ct)
    {
        while (true)
        {
            var now = clock.GetUtcNow();
            if (await store.FindSubjectAsync(subject, ct) is { } known
                && await store.ChangeUserAsync(known.Name, u => u.Subject == subject ? u with { Role = role, SeenAt = now } : null, ct) is { } user)
            {
                return user;
            }

            var taken = (await store.ListUsersAsync(ct)).Select(u => u.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
            var name = NamesLike(wanted).First(n => !taken.Contains(n));
            await store.AddUserAsync(new UserRecord(name, role, now) { Subject = subject, SeenAt = now, Stamp = NewStamp() }, ct: ct);
        }
    }

    /// <summary>Removes somebody whom an identity provider vouches for no longer.</summary>
    /// <returns>The user's name; null when there was none.</returns>
    public async Task<string?> RemoveSubjectAsync(string subject, CancellationToken ct) =>
        await store.FindSubjectAsync(subject, ct) is { } user && await store.RemoveUserAsync(user.Name, ct) ? user.Name : null;

    /// <summary>Gives a user another password, unlocks it, and ends its sessions.</summary>
    /// <returns>Everything that is wrong, one sentence each; empty when it was done.</returns>
    public async Task<IReadOnlyList<string>> SetPasswordAsync(string name, string password, CancellationToken ct) => PasswordProblems(password).ToList() is { Count: > 0 } problems
        ? problems
        : await store.ChangeUserAsync(name, u => u.Password is null ? null : With(u, password), ct) is null
            ? [await store.FindUserAsync(name, ct) is null ? Gone(name) : $"{name} logs in by the organisation, and has no password here."]
            : [];

    /// <summary>Gives a user another role; its sessions have it from their next request on.</summary>
    /// <returns>What is wrong, in one sentence; null when it was done.</returns>
    public async Task<string?> SetRoleAsync(string name, Role role, CancellationToken ct) =>
        await store.ChangeUserAsync(name, u => u.Password is null ? null : u with { Role = role }, ct) is not null ? null
        : await store.FindUserAsync(name, ct) switch
        {
            null => Gone(name),
            { Password: null } => $"The role of {name} comes from its groups, each time it logs in: change those.",
            _ => LastAdmin(name),
        };

    /// <summary>Lets a user log in again at once who had too many wrong passwords.</summary>
    /// <inheritdoc cref="SetRoleAsync" path="/returns"/>
    public async Task<string?> UnlockAsync(string name, CancellationToken ct) =>
        await store.ChangeUserAsync(name, u => u with { Failures = 0, LockedUntil = null }, ct) is null ? Gone(name) : null;

    /// <summary>Ends all sessions of a user.</summary>
    /// <inheritdoc cref="SetRoleAsync" path="/returns"/>
    public async Task<string?> EndSessionsAsync(string name, CancellationToken ct) =>
        await store.ChangeUserAsync(name, u => u with { Stamp = NewStamp() }, ct) is null ? Gone(name) : null;

    /// <summary>Removes a user with its sessions and tokens.</summary>
    /// <inheritdoc cref="SetRoleAsync" path="/returns"/>
    public async Task<string?> RemoveAsync(string name, CancellationToken ct) =>
        await store.RemoveUserAsync(name, ct) ? null : await store.FindUserAsync(name, ct) is null ? Gone(name) : LastAdmin(name);

    /// <summary>All users, by name.</summary>
    public Task<IReadOnlyList<UserRecord>> ListAsync(CancellationToken ct) => store.ListUsersAsync(ct);

    /// <summary>The user of that name; null when there is none.</summary>
    public Task<UserRecord?> FindAsync(string name, CancellationToken ct) => store.FindUserAsync(name, ct);

    /// <summary>Whether nobody can log in yet.</summary>
    public async Task<bool> IsEmptyAsync(CancellationToken ct) => (await store.ListUsersAsync(ct)).Count == 0;

    private async Task<IReadOnlyList<string>> AddAsync(string name, Role role, string password, bool isFirst, CancellationToken ct)
    {
        List<string> problems = [.. NameProblems(name), .. PasswordProblems(password)];
        if ((await store.ListUsersAsync(ct)).FirstOrDefault(u => u.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } same)
        {
            problems.Add($"There is a user {same.Name} already.");
        }

        if (problems.Count == 0 && !await store.AddUserAsync(With(new UserRecord(name, role, clock.GetUtcNow()), password), isFirst, ct))
        {
            problems.Add(isFirst ? "Somebody else has made the first admin meanwhile." : $"There is a user {name} already.");
        }

        return problems;
    }

    private static UserRecord Counted(UserRecord user, DateTimeOffset now) => user with
    {
        Failures = user.Failures + 1,
        LockedUntil = (user.Failures + 1) % MostFailures == 0 ? now + LockOut : user.LockedUntil,
    };

    private UserRecord With(UserRecord user, string password) => user with
    {
        Password = _hasher.HashPassword(user, password),
        Failures = 0,
        LockedUntil = null,
        Stamp = NewStamp(),
    };

    private static string NewStamp() => RandomNumberGenerator.GetHexString(16, lowercase: true);

    private static string Gone(string name) => $"There is no user {name} any more.";

    private static string LastAdmin(string name) => $"{name} is the only admin with a password: make another one first, or nobody could make users any more.";

    private static IEnumerable<string> NameProblems(string name)
    {
        if (!NameForm().IsMatch(name))
        {
            yield return "A name has 1 to 64 letters, digits and . _ - @, and begins with a letter or a digit.";
        }
    }

    private static IEnumerable<string> PasswordProblems(string password)
    {
        if (password.Length is < ShortestPassword or > LongestPassword)
        {
            yield return $"A password has {ShortestPassword} to {LongestPassword} characters; a few words in a row make a good one.";
        }
    }

    // ada, ada-2, ada-3, …
    private static IEnumerable<string> NamesLike(string wanted)
    {
        var plain = string.Concat(wanted.Where(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '@').Take(56)).TrimStart('.', '_', '-', '@');
        plain = plain.Length == 0 ? "somebody" : plain;
        return Enumerable.Range(1, int.MaxValue - 1).Select(n => n == 1 ? plain : FormattableString.Invariant($"{plain}-{n}"));
    }

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\z")]
    private static partial Regex NameForm();
}
