using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Godwit.Metadata.Accounts;

namespace Godwit.Server.Access;

/// <summary>The tokens that programs use: <c>godwit_ID_SECRET</c>. The secret is shown once and kept as its hash.</summary>
internal sealed partial class Tokens(IAccountStore store, TimeProvider clock)
{
    /// <summary>The longest that a token may be good for.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(366);

    private static readonly TimeSpan Precision = TimeSpan.FromMinutes(1);

    /// <summary>Makes a token.</summary>
    /// <param name="user">Whose it is to be.</param>
    /// <param name="name">What it is for.</param>
    /// <param name="role">The most that it may do; no more than its user.</param>
    /// <param name="days">For how many days it is good.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>The token, which cannot be shown again; or what is wrong, one sentence each.</returns>
    public async Task<(string? Token, IReadOnlyList<string> Problems)> MakeAsync(UserRecord user, string name, Role role, int days, CancellationToken ct)
    {
        List<string> problems = [];
        if (name.Trim().Length is 0 or > 100)
        {
            problems.Add("Say what the token is for, in at most 100 characters: it is how you will know it again.");
        }

        if (Plain.Clean(name) != name)
        {
            problems.Add("What the token is for is written in letters and signs that can be seen: it is shown to others, in terminals too.");
        }

        if (days < 1 || days > Longest.TotalDays)
        {
            problems.Add($"A token is good for 1 to {Longest.TotalDays:0} days.");
        }

        if (role > user.Role)
        {
            problems.Add($"{user.Name} is {user.Role}, so its token cannot be {role}.");
        }

        if (problems.Count > 0)
        {
            return (null, problems);
        }

        var (id, secret) = (RandomNumberGenerator.GetHexString(12, lowercase: true), RandomNumberGenerator.GetHexString(48, lowercase: true));
        var now = clock.GetUtcNow();
        var isKept = await store.AddTokenAsync(new TokenRecord(id, Hash(secret), name.Trim(), user.Name, role, now, now + TimeSpan.FromDays(days)), ct);
        return isKept ? ($"godwit_{id}_{secret}", []) : (null, [$"There is no user {user.Name} any more."]);
    }

    /// <summary>The public part of a token.</summary>
    public static string IdOf(string token) => token.Split('_')[1];

    /// <summary>All tokens, the newest first; those of a user when one is named.</summary>
    public async Task<IReadOnlyList<TokenRecord>> ListAsync(string? user, CancellationToken ct) => [.. (await store.ListTokensAsync(ct)).Where(t => user is null || t.User == user)];

    /// <summary>A token by its public part; null when there is none.</summary>
    public Task<TokenRecord?> FindByIdAsync(string id, CancellationToken ct) => store.FindTokenAsync(id, ct);

    /// <summary>Takes a token away; it is good for nothing from the next request on.</summary>
    public Task RemoveAsync(string id, CancellationToken ct) => store.RemoveTokenAsync(id, ct);

    /// <summary>The user of a token, and what it may do with it; null when it is not good (any more).</summary>
    public async Task<(UserRecord User, TokenRecord Token, Role Role)?> FindAsync(string text, CancellationToken ct)
    {
        if (Form().Match(text) is not { Success: true } match
            || await store.FindTokenAsync(match.Groups["id"].Value, ct) is not { } token
            || !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(token.Hash), Encoding.ASCII.GetBytes(Hash(match.Groups["secret"].Value)))
            || token.ExpiresAt <= clock.GetUtcNow()
            || await store.FindUserAsync(token.User, ct) is not { } user)
        {
            return null;
        }

        var now = clock.GetUtcNow();
        if (token.UsedAt is not { } used || now - used > Precision)
        {
            await store.TouchTokenAsync(token.Id, now, ct);
        }

        return (user, token, token.Role < user.Role ? token.Role : user.Role);
    }

    /// <summary>What is kept of a secret that has 192 random bits: no slow hash is needed for those.</summary>
    public static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    [GeneratedRegex(@"^godwit_(?<id>[0-9a-f]{12})_(?<secret>[0-9a-f]{48})\z")]
    private static partial Regex Form();
}
