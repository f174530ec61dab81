using System.Security.Cryptography;
using Godwit.Metadata.Accounts;

namespace Godwit.Server.Access;

/// <summary>
/// Who is logged in, kept beside the runs: a cookie holds nothing but a random number, of which only the hash is kept. Sessions outlive the process,
/// and end when their time is up, when somebody logs out, and when the user's stamp changes.
/// </summary>
internal sealed class Sessions(IAccountStore store, TimeProvider clock)
{
    /// <summary>How long somebody stays logged in who does nothing.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromHours(12);

    /// <summary>How long somebody stays logged in at most.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    // A session is not written to again for each request.
    private static readonly TimeSpan Precision = TimeSpan.FromMinutes(10);

    /// <summary>Begins one. Its key is new, whatever the browser sent: nobody can have given it to the browser beforehand.</summary>
    /// <returns>The key for the cookie.</returns>
    public async Task<string> BeginAsync(UserRecord user, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var key = RandomNumberGenerator.GetHexString(64, lowercase: true);
        await store.SweepAsync(now, ct);
        await store.AddSessionAsync(new SessionRecord(Tokens.Hash(key), user.Name, user.Stamp, now, now + Idle), ct);
        return key;
    }

    /// <summary>Whose session it is, as the user is now; null when it is not good (any more). Prolongs it.</summary>
    public async Task<UserRecord?> FindAsync(string? key, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (key is not { Length: 64 }
            || await store.FindSessionAsync(Tokens.Hash(key), ct) is not { } session
            || session.ExpiresAt <= now
            || await store.FindUserAsync(session.User, ct) is not { } user
            || user.Stamp != session.Stamp)
        {
            return null;
        }

        // Who comes by an identity provider has to come again: it may have changed its mind.
        var until = user.Password is null ? session.ExpiresAt : Earlier(now + Idle, session.BeganAt + Longest);
        if (until - session.ExpiresAt > Precision)
        {
            await store.ProlongSessionAsync(session.Id, until, ct);
        }

        return user;
    }

    /// <summary>Ends one.</summary>
    public Task EndAsync(string key, CancellationToken ct) => store.RemoveSessionAsync(Tokens.Hash(key), ct);

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
}
