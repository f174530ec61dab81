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

    /// <summary>The name or the password is wrong; which of them is not told.</summary>
    Wrong,

    /// <summary>Too many wrong ones; for a while none is looked at.</summary>
    Locked,
}

/// <summary>The users and their passwords.</summary>
internal sealed partial class Accounts(IAccountStore store, TimeProvider clock)
{
    /// <summary>The least characters of a password. There are no other rules: length is what counts.</summary>
    public const int ShortestPassword = 12;

    private const int LongestPassword = 200;

    /// <summary>After so many wrong passwords in a row nobody can log in by that name for a while.</summary>
    private const int MostFailures = 10;

    private static readonly TimeSpan LockOut = TimeSpan.FromMinutes(15);
    private static readonly UserRecord Nobody = new("", Role.Viewer, DateTimeOffset.UnixEpoch);
    private readonly PasswordHasher<UserRecord> _hasher = new();
    private readonly Lazy<string> _nobodys = new(() => new PasswordHasher<UserRecord>().HashPassword(Nobody, RandomNumberGenerator.GetHexString(32)));

    /// <summary>Looks at a password. Takes as long for a name that does not exist.</summary>
    public async Task<(LoginOutcome Outcome, UserRecord? User)> LoginAsync(string name, string password, CancellationToken ct)
    {
        var user = password.Length > LongestPassword ? null : await store.FindUserAsync(name, ct);
        var now = clock.GetUtcNow();
        if (user?.LockedUntil > now)
        {
            return (LoginOutcome.Locked, null);
        }

        var verdict = _hasher.VerifyHashedPassword(user ?? Nobody, user?.Password ?? _nobodys.Value, password);
        if (user?.Password is null)
        {
            return (LoginOutcome.Wrong, null);
        }

        if (verdict == PasswordVerificationResult.Failed)
        {
            var failed = await store.ChangeUserAsync(name, u => u with { Failures = u.Failures + 1, LockedUntil = (u.Failures + 1) % MostFailures == 0 ? now + LockOut : u.LockedUntil }, ct);
            return (failed?.LockedUntil > now ? LoginOutcome.Locked : LoginOutcome.Wrong, null);
        }

        var rehashed = verdict == PasswordVerificationResult.SuccessRehashNeeded ? _hasher.HashPassword(user, password) : user.Password;
        return (LoginOutcome.Welcome, await store.ChangeUserAsync(name, u => u with { Failures = 0, LockedUntil = null, SeenAt = now, Password = rehashed }, ct));
    }

    /// <summary>Makes a user with a password.</summary>
    /// <returns>Everything that is wrong, one sentence each; empty when it was made.</returns>
    public async Task<IReadOnlyList<string>> AddAsync(string name, Role role, string password, CancellationToken ct)
    {
        List<string> problems = [.. NameProblems(name), .. PasswordProblems(password)];
        if (problems.Count == 0 && !await store.AddUserAsync(With(new UserRecord(name, role, clock.GetUtcNow()), password), ct))
        {
            problems.Add($"There is a user {name} already.");
        }

        return problems;
    }

    /// <summary>Gives a user another password, unlocks it, and ends its sessions.</summary>
    /// <returns>Everything that is wrong, one sentence each; empty when it was done.</returns>
    public async Task<IReadOnlyList<string>> SetPasswordAsync(string name, string password, CancellationToken ct)
    {
        if (PasswordProblems(password).ToList() is { Count: > 0 } problems)
        {
            return problems;
        }

        return await store.ChangeUserAsync(name, u => With(u, password), ct) is null ? [$"There is no user {name} any more."] : [];
    }

    /// <summary>Gives a user another role; its sessions have it from their next request on.</summary>
    /// <returns>What is wrong, in one sentence; null when it was done.</returns>
    public async Task<string?> SetRoleAsync(string name, Role role, CancellationToken ct)
    {
        if (role != Role.Admin && await IsLastAdminAsync(name, ct))
        {
            return $"{name} is the only admin: make another one first, or nobody could make users any more.";
        }

        return await store.ChangeUserAsync(name, u => u with { Role = role }, ct) is null ? $"There is no user {name} any more." : null;
    }

    /// <summary>Removes a user with its sessions and tokens.</summary>
    /// <returns>What is wrong, in one sentence; null when it was done.</returns>
    public async Task<string?> RemoveAsync(string name, CancellationToken ct)
    {
        if (await IsLastAdminAsync(name, ct))
        {
            return $"{name} is the only admin: make another one first, or nobody could make users any more.";
        }

        await store.RemoveUserAsync(name, ct);
        return null;
    }

    /// <summary>Whether nobody can log in yet.</summary>
    public async Task<bool> IsEmptyAsync(CancellationToken ct) => (await store.ListUsersAsync(ct)).Count == 0;

    private async Task<bool> IsLastAdminAsync(string name, CancellationToken ct) =>
        (await store.ListUsersAsync(ct)).Where(u => u.Role == Role.Admin).ToList() is [var only] && only.Name == name;

    private UserRecord With(UserRecord user, string password) => user with
    {
        Password = _hasher.HashPassword(user, password),
        Failures = 0,
        LockedUntil = null,
        Stamp = RandomNumberGenerator.GetHexString(16, lowercase: true),
    };

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

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\z")]
    private static partial Regex NameForm();
}
