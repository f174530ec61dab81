using System.Security.Claims;
using System.Threading.RateLimiting;
using Godwit.Metadata.Accounts;
using Godwit.Server.Api;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Godwit.Server.Access;

/// <summary>Who gets in: people by a cookie, programs by a token, nobody without one of them.</summary>
internal static class AccessSetup
{
    /// <summary>How long somebody stays logged in who does nothing.</summary>
    private static readonly TimeSpan Session = TimeSpan.FromHours(12);

    private const string Choice = "choice";

    public static void AddAccess(this IServiceCollection services, ServeOptions options)
    {
        services.AddSingleton<Accounts>();
        services.AddSingleton<Tokens>();
        services.AddSingleton<SetupLink>();
        services.AddSingleton<LoginThrottle>();
        services.AddSingleton<LoginDoor>();
        services.AddDataProtection().SetApplicationName("godwit");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(s => new ConfigureOptions<KeyManagementOptions>(o => o.XmlRepository = new StoredKeys(s.GetRequiredService<IAccountStore>())));
        services.AddSingleton<IPostConfigureOptions<CookieAuthenticationOptions>>(s => new PostConfigureOptions<CookieAuthenticationOptions>(
            CookieAuthenticationDefaults.AuthenticationScheme, o => o.SessionStore = ActivatorUtilities.CreateInstance<SessionTickets>(s)));
        services.AddAntiforgery(o =>
        {
            o.Cookie.Name = "godwit_form";
            o.Cookie.SameSite = SameSiteMode.Strict;
            o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            o.SuppressXFrameOptionsHeader = true;
        });
        services.AddAuthentication(Choice)
            .AddPolicyScheme(Choice, null, o => o.ForwardDefaultSelector = http => IsForPrograms(http) ? TokenHandler.SchemeName : CookieAuthenticationDefaults.AuthenticationScheme)
            .AddScheme<AuthenticationSchemeOptions, TokenHandler>(TokenHandler.SchemeName, null)
            .AddCookie(Cookie);
        services.AddAuthorizationBuilder()
            .AddPolicy(Policies.Operator, p => p.RequireRole(nameof(Role.Operator), nameof(Role.Admin)))
            .AddPolicy(Policies.Admin, p => p.RequireRole(nameof(Role.Admin)))
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        if (options.Proxy is { } proxy)
        {
            services.Configure<ForwardedHeadersOptions>(o =>
            {
                o.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
                o.KnownProxies.Add(proxy);
            });
        }
    }

    public static void UseAccess(this WebApplication app, ServeOptions options)
    {
        if (options.Proxy is not null)
        {
            app.UseForwardedHeaders();
        }

        app.UseMiddleware<RequestGuard>();
        app.UseStatusCodePagesWithReExecute("/not-found");
        app.UseMiddleware<ApiErrors>();
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
    }

    // The description of the API is for people, too: whoever comes to it without a token is asked for his cookie.
    private static bool IsForPrograms(HttpContext http) =>
        http.Request.Path.StartsWithSegments("/metrics") || (http.Request.Path.StartsWithSegments("/api") && !ApiRoutes.IsForPeople(http.Request));

    private static void Cookie(CookieAuthenticationOptions cookie)
    {
        cookie.Cookie.Name = "godwit_session";
        cookie.Cookie.HttpOnly = true;

        // Not Strict: a link in a chat or in a notification is to lead somebody who is logged in to the page and not to the login.
        cookie.Cookie.SameSite = SameSiteMode.Lax;
        cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        cookie.ExpireTimeSpan = Session;
        cookie.SlidingExpiration = true;
        cookie.LoginPath = "/login";
        cookie.AccessDeniedPath = "/denied";
        cookie.ReturnUrlParameter = "next";
        cookie.Events.OnValidatePrincipal = ValidateAsync;
        cookie.Events.OnRedirectToLogin = context =>
        {
            // A stream of events, or a script's request, can do nothing with a page.
            if (context.Request.Path.StartsWithSegments("/live") || context.Request.Path.StartsWithSegments("/api"))
            {
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            }
            else
            {
                context.Response.Redirect(context.RedirectUri);
            }

            return Task.CompletedTask;
        };
    }

    // A role that was changed, or a user that was removed, counts from the next request on.
    private static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        var store = context.HttpContext.RequestServices.GetRequiredService<IAccountStore>();
        var name = context.Principal?.FindFirstValue(ClaimTypes.NameIdentifier);
        var user = name is null ? null : await store.FindUserAsync(name, context.HttpContext.RequestAborted);
        if (user is null || user.Stamp != context.Principal!.FindFirstValue(Policies.StampClaim))
        {
            context.RejectPrincipal();
            await context.HttpContext.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        }
        else if (user.Role != Policies.RoleOf(context.Principal!))
        {
            context.ReplacePrincipal(Policies.Principal(user, user.Role, CookieAuthenticationDefaults.AuthenticationScheme));
        }
    }
}
