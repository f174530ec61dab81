using System.Collections.Concurrent;
using Godwit.Metadata;
using Godwit.Metadata.Accounts;

namespace Godwit.Server.Access;

/// <summary>
/// The tokens of programs. Those that read /metrics are remembered: a store that is away must not silence what is to tell of that. A token that was
/// revoked can so read metrics, and nothing else, until the store is back.
/// </summary>
internal sealed class KnownTokens(Tokens tokens, TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private const int Most = 100;
    private readonly ConcurrentDictionary<string, (UserRecord User, TokenRecord Token, Role Role)> _good = new(StringComparer.Ordinal);

    /// <summary>The user of a token, and what it may do with it; null when it is not good (any more).</summary>
    /// <param name="text">The token.</param>
    /// <param name="readsMetrics">Whether it is to read /metrics.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="StoreException">The store is away.</exception>
    public async Task<(UserRecord User, TokenRecord Token, Role Role)?> FindAsync(string text, bool readsMetrics, CancellationToken ct)
    {
        if (!readsMetrics)
        {
            return await tokens.FindAsync(text, ct);
        }

        var key = Tokens.Hash(text);
        var isKnown = _good.TryGetValue(key, out var known) && known.Token.ExpiresAt > clock.GetUtcNow();
        try
        {
            // Those that are not known have nothing to fall back on.
            var found = await Task.Run(() => tokens.FindAsync(text, ct), ct).WaitAsync(isKnown ? Patience : Timeout.InfiniteTimeSpan, ct);
            Remember(key, found);
            return found;
        }
        catch (Exception e) when (isKnown && e is (StoreException or TimeoutException))
        {
            return known;
        }
    }

    private void Remember(string key, (UserRecord User, TokenRecord Token, Role Role)? found)
    {
        if (found is null)
        {
            _good.TryRemove(key, out _);
        }
        else if (_good.Count < Most || _good.ContainsKey(key))
        {
            _good[key] = found.Value;
        }
    }
}
