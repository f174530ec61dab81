using System.Collections.Concurrent;

namespace Godwit.Server.Access;

/// <summary>How many passwords an address may try: a lock on each user alone would let one address try one password on all of them.</summary>
internal sealed class LoginThrottle(TimeProvider clock)
{
    private const int Most = 20;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(5);
    private readonly ConcurrentDictionary<string, (DateTimeOffset Since, int Count)> _tries = new(StringComparer.Ordinal);

    /// <summary>Counts a try.</summary>
    /// <returns>Whether it may be made.</returns>
    public bool Try(string address)
    {
        var now = clock.GetUtcNow();
        if (_tries.Count > 10_000)
        {
            foreach (var old in _tries.Where(t => now - t.Value.Since > Window))
            {
                _tries.TryRemove(old);
            }
        }

        return _tries.AddOrUpdate(address, (now, 1), (_, t) => now - t.Since > Window ? (now, 1) : (t.Since, t.Count + 1)).Count <= Most;
    }

    /// <summary>Somebody got in: earlier tries of this address count no more.</summary>
    public void Forget(string address) => _tries.TryRemove(address, out _);
}
