using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Godwit.Server.Access;

/// <summary>Knows a person by the cookie of a session, and sends who has none to the login. The user and its role are read anew for each request.</summary>
internal sealed class SessionHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, Sessions sessions, SessionCookie cookie, Refusals refusals)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "session";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // While an error is told of, nobody is asked for anything: what failed may be the store.
        if (cookie.Read(Context) is not { } key || Context.Features.Get<IExceptionHandlerFeature>() is not null)
        {
            return AuthenticateResult.NoResult();
        }

        return await sessions.FindAsync(key, Context.RequestAborted) is { } user
            ? AuthenticateResult.Success(new AuthenticationTicket(Policies.Principal(user, user.Role, SchemeName), SchemeName))
            : AuthenticateResult.Fail("The session has ended.");
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // A stream of events, or a script's request, can do nothing with a page.
        if (Request.Path.StartsWithSegments("/live") || Request.Path.StartsWithSegments("/api"))
        {
            Response.StatusCode = StatusCodes.Status401Unauthorized;
        }
        else
        {
            Response.Redirect($"/login?next={Uri.EscapeDataString(HttpMethods.IsGet(Request.Method) ? $"{Request.Path}{Request.QueryString}" : "/")}");
        }

        return Task.CompletedTask;
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status403Forbidden;
        return refusals.NoteAsync(Context);
    }
}

/// <summary>The cookie of a session.</summary>
internal sealed class SessionCookie(ServeOptions options)
{
    // A browser takes a cookie of this prefix from nobody but us: not from a host beside ours, and not over plain HTTP.
    private readonly string _name = options.IsPrivate ? "__Host-godwit_session" : "godwit_session";

    public string? Read(HttpContext http) => http.Request.Cookies[_name];

    public void Write(HttpContext http, string key) => http.Response.Cookies.Append(_name, key, Form());

    public void Delete(HttpContext http) => http.Response.Cookies.Delete(_name, Form());

    // Not Strict: a link in a chat or in a notification is to lead somebody who is logged in to the page and not to the login.
    private CookieOptions Form() => new() { HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = options.IsPrivate, Path = "/", IsEssential = true };
}
