using Godwit.Metadata;
using Microsoft.AspNetCore.Http;

namespace Godwit.Server.Access;

/// <summary>Looks from time to time whether the session of a long answer is still good.</summary>
internal sealed class SessionWatch(Sessions sessions, SessionCookie cookie, TimeProvider clock)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);
    private DateTimeOffset _looked = clock.GetUtcNow();

    /// <summary>Whether it was when it was last looked at.</summary>
    public async Task<bool> IsGoodAsync(HttpContext http)
    {
        var now = clock.GetUtcNow();
        if (now - _looked < Period)
        {
            return true;
        }

        _looked = now;
        try
        {
            return await sessions.FindAsync(cookie.Read(http), http.RequestAborted) is not null;
        }
        catch (StoreException)
        {
            // Nothing can be told while the store is away, but that it is.
            return true;
        }
    }
}
