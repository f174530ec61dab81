using Godwit.Metadata;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Access;

/// <summary>Lets people in and out.</summary>
internal sealed class LoginDoor(Accounts accounts, LoginThrottle throttle, Migrator migrator, ServeOptions options)
{
    /// <summary>Whether an identity provider is configured.</summary>
    public bool HasOpenId => options.OpenId is not null;

    /// <summary>Logs somebody in.</summary>
    /// <returns>Why not, in a sentence that does not tell whether there is such a user; null when it was done.</returns>
    public async Task<string?> LoginAsync(HttpContext http, string name, string password)
    {
        var (ct, address) = (http.RequestAborted, $"{http.Connection.RemoteIpAddress}");
        if (!throttle.Try(address))
        {
            return "Too many passwords were tried from your address. Wait five minutes.";
        }

        var (outcome, user) = await accounts.LoginAsync(name, password, ct);
        if (user is null)
        {
            await migrator.RecordAsync(new Actor(Plain.Clean(name.Length > 64 ? name[..64] : name), address), "login refused", outcome == LoginOutcome.Locked ? "locked" : "wrong password", ct: ct);
            return outcome == LoginOutcome.Locked
                ? "Too many wrong passwords in a row: nobody can log in by this name for 15 minutes. An admin can set a new password at once."
                : "The name or the password is wrong.";
        }

        throttle.Forget(address);
        await migrator.RecordAsync(new Actor(user.Name, address), "login", user.Name, ct: ct);
        await http.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, Policies.Principal(user, user.Role, CookieAuthenticationDefaults.AuthenticationScheme));
        return null;
    }
}

/// <summary>The way out.</summary>
internal static class LogoutRoutes
{
    public static void MapLogout(this IEndpointRouteBuilder app) => app.MapPost("/logout", async (HttpContext http, IAntiforgery antiforgery) =>
    {
        if (!await antiforgery.IsRequestValidAsync(http))
        {
            return Results.Problem("The form is too old. Go back, reload the page, and log out again.", statusCode: StatusCodes.Status400BadRequest);
        }

        await http.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return Results.LocalRedirect("/login");
    }).ExcludeFromDescription();
}
