using Godwit.Metadata.Accounts;
using Godwit.Server.Api;
using Godwit.Server.Pages;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Godwit.Server.Access;

/// <summary>Who gets in: people by a session, programs by a token, nobody without one of them.</summary>
internal static class AccessSetup
{
    private const string Choice = "choice";

    public static void AddAccess(this IServiceCollection services, ServeOptions options)
    {
        services.AddSingleton<Accounts>();
        services.AddSingleton<Tokens>();
        services.AddSingleton<KnownTokens>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<SessionCookie>();
        services.AddSingleton<SetupLink>();
        services.AddSingleton<LoginThrottle>();
        services.AddSingleton<LoginDoor>();
        services.AddSingleton<Refusals>();
        if (options.OpenId is { } provider)
        {
            services.AddSingleton(provider);
            services.AddSingleton<OpenIdProvider>();
            services.AddSingleton<OpenIdTrips>();
        }

        // They protect forms, and the way to an identity provider and back. The framework makes a new one every 90 days.
        services.AddDataProtection().SetApplicationName("godwit");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(s => new ConfigureOptions<KeyManagementOptions>(o => o.XmlRepository = new StoredKeys(s.GetRequiredService<IAccountStore>())));
        services.AddAntiforgery(o =>
        {
            o.Cookie.Name = "godwit_form";

            // As for sessions: were it Strict, a page that a link of somebody else's leads to would spoil the forms of all others that are open.
            o.Cookie.SameSite = SameSiteMode.Lax;
            o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            o.SuppressXFrameOptionsHeader = true;
        });
        services.AddAuthentication(Choice)
            .AddPolicyScheme(Choice, null, o => o.ForwardDefaultSelector = http => IsForPrograms(http) ? TokenHandler.SchemeName : SessionHandler.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, TokenHandler>(TokenHandler.SchemeName, null)
            .AddScheme<AuthenticationSchemeOptions, SessionHandler>(SessionHandler.SchemeName, null);
        services.AddAuthorizationBuilder()
            .AddPolicy(Policies.Operator, p => p.RequireRole(nameof(Role.Operator), nameof(Role.Admin)))
            .AddPolicy(Policies.Admin, p => p.RequireRole(nameof(Role.Admin)))
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        if (options.Proxy is { } proxy)
        {
            services.Configure<ForwardedHeadersOptions>(o =>
            {
                o.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;

                // The framework's own list holds every process of this machine.
                o.KnownProxies.Clear();
                o.KnownIPNetworks.Clear();
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

        app.UseFailures();
        app.Use(RetoldAsync);
        app.UseMiddleware<RequestGuard>();
        app.UseWhen(http => !IsForPrograms(http) && !http.Request.Path.StartsWithSegments("/live"), UseStatusPages);
        app.UseMiddleware<ApiErrors>();
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
    }

    private static void UseStatusPages(IApplicationBuilder app)
    {
        app.UseStatusCodePagesWithReExecute("/status/{0}", createScopeForStatusCodePages: true);
        app.Use(RetoldAsync);

        // The framework says of a form without its token that the answer is a page, and then sends none.
        app.Use(async (http, next) =>
        {
            await next(http);
            if (http.Response is { HasStarted: false, StatusCode: >= StatusCodes.Status400BadRequest })
            {
                http.Response.ContentType = null;
            }
        });
    }

    // The page that tells what became of a form is not the one that the form was for, and must not look at it again.
    private static Task RetoldAsync(HttpContext http, RequestDelegate next)
    {
        if (http.Features.Get<IStatusCodeReExecuteFeature>() is not null || http.Features.Get<IExceptionHandlerFeature>() is not null)
        {
            http.Request.Method = HttpMethods.Get;
            http.Features.Set<IAntiforgeryValidationFeature>(null);
        }

        return next(http);
    }

    /// <summary>Whether programs call here, who have tokens and can do nothing with pages. The description of the API is for people, too.</summary>
    public static bool IsForPrograms(HttpContext http) =>
        http.Request.Path.StartsWithSegments("/metrics") || (http.Request.Path.StartsWithSegments("/api") && !ApiRoutes.IsForPeople(http.Request));
}
