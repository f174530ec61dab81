using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Pages;

/// <summary>Light or dark: what the browser prefers, until somebody chooses.</summary>
internal static class ThemeRoutes
{
    private const string Cookie = "godwit_theme";

    /// <summary>What was chosen; null when the browser's preference holds.</summary>
    public static string? Of(HttpContext http) => http.Request.Cookies[Cookie] is var theme and ("light" or "dark") ? theme : null;

    public static void MapTheme(this IEndpointRouteBuilder app) => app.MapGet("/theme/{theme}", (string theme, string? next, HttpContext http) =>
    {
        if (theme is "light" or "dark")
        {
            http.Response.Cookies.Append(Cookie, theme, new CookieOptions { MaxAge = TimeSpan.FromDays(365), SameSite = SameSiteMode.Lax, HttpOnly = true, Secure = http.Request.IsHttps });
        }
        else
        {
            http.Response.Cookies.Delete(Cookie);
        }

        return Results.LocalRedirect(LocalPath.Of(next));
    }).AllowAnonymous().ExcludeFromDescription();
}

/// <summary>Where to go next when an address says so: only ever to a page of ours, in the letters that an address may have.</summary>
internal static class LocalPath
{
    public static string Of(string? path) =>
        path is ['/', ..] && path is not ['/', '/', ..] && path.All(c => c is > ' ' and < '\x7f' and not '\\') ? path : "/";
}
