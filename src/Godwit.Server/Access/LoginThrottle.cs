using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Godwit.Server.Access;

/// <summary>How many logins an address may try: a lock on each user alone would let one address try one password on all of them.</summary>
internal sealed class LoginThrottle(TimeProvider clock)
{
    /// <summary>The most tries that fail, within <see cref="Window"/>.</summary>
    public const int Most = 20;

    /// <summary>After this time the count of an address begins anew.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, (DateTimeOffset Since, int Count)> _tries = new(StringComparer.Ordinal);
    private DateTimeOffset _swept;

    /// <summary>Counts a try.</summary>
    /// <returns>Whether it may be made.</returns>
    public bool Try(IPAddress? address)
    {
        var now = clock.GetUtcNow();
        if (now - _swept > Window)
        {
            _swept = now;
            foreach (var old in _tries.Where(t => now - t.Value.Since > Window))
            {
                _tries.TryRemove(old);
            }
        }

        return _tries.AddOrUpdate(Key(address), (now, 1), (_, t) => now - t.Since > Window ? (now, 1) : (t.Since, t.Count + 1)).Count <= Most;
    }

    /// <summary>A try was a good one and does not count. The earlier ones do: or somebody with one account could try those of others for ever.</summary>
    public void Forgive(IPAddress? address) => _tries.AddOrUpdate(Key(address), (clock.GetUtcNow(), 0), (_, t) => (t.Since, Math.Max(0, t.Count - 1)));

    // Whoever has one address of IPv6 has the 2^64 beside it.
    private static string Key(IPAddress? address) => address switch
    {
        null => "",
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4().ToString(),
        { AddressFamily: AddressFamily.InterNetworkV6 } => Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8)),
        _ => address.ToString(),
    };
}
