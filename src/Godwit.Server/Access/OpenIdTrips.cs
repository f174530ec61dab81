using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;

namespace Godwit.Server.Access;

/// <summary>The way of a browser to the identity provider and back.</summary>
/// <param name="State">Comes back in the address.</param>
/// <param name="Nonce">Comes back in the ID token.</param>
/// <param name="Verifier">Proves to the provider that who comes for the token is who sent the browser.</param>
/// <param name="Next">The page to go to.</param>
/// <param name="Until">When it is too late to come back (UTC).</param>
internal sealed record OpenIdTrip(string State, string Nonce, string Verifier, string Next, DateTimeOffset Until);

/// <summary>
/// Remembers trips, each in a cookie of its own that only this server can read: who comes back without it did not set out from here in that browser.
/// It is good once.
/// </summary>
internal sealed class OpenIdTrips(IDataProtectionProvider protection, TimeProvider clock, ServeOptions options)
{
    public const string Path = "/login/openid";

    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(15);
    private readonly IDataProtector _protector = protection.CreateProtector("godwit.openid");

    /// <summary>Sets out.</summary>
    public OpenIdTrip Begin(HttpContext http, string next)
    {
        var trip = new OpenIdTrip(Random(), Random(), Random(), next, clock.GetUtcNow() + Longest);
        http.Response.Cookies.Append(Name(trip.State), _protector.Protect(JsonSerializer.Serialize(trip)), Form(Longest));
        return trip;
    }

    /// <summary>Comes back; null for somebody who did not set out, or too long ago.</summary>
    public OpenIdTrip? End(HttpContext http, string state)
    {
        if (state.Length != 64 || http.Request.Cookies[Name(state)] is not { } text)
        {
            return null;
        }

        http.Response.Cookies.Delete(Name(state), Form(null));
        return Read(text) is { } trip && trip.State == state && trip.Until > clock.GetUtcNow() ? trip : null;
    }

    private OpenIdTrip? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<OpenIdTrip>(_protector.Unprotect(text));
        }
        catch (CryptographicException)
        {
            // Forged, or by keys that are no longer.
            return null;
        }
    }

    private static string Random() => RandomNumberGenerator.GetHexString(64, lowercase: true);

    private static string Name(string state) => $"godwit_openid_{state[..8]}";

    // Lax: the browser comes back from another site.
    private CookieOptions Form(TimeSpan? age) => new() { HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = options.IsPrivate, Path = Path, MaxAge = age, IsEssential = true };
}
