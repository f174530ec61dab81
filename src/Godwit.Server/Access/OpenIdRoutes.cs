using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Godwit.Server.Metrics;
using Godwit.Server.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Godwit.Server.Access;

/// <summary>Logging in by an identity provider.</summary>
internal static class OpenIdRoutes
{
    private const string Callback = $"{OpenIdTrips.Path}/callback";

    public static void MapOpenId(this IEndpointRouteBuilder app)
    {
        app.MapGet(OpenIdTrips.Path, SetOutAsync).AllowAnonymous().ExcludeFromDescription();
        app.MapGet(Callback, ComeBackAsync).AllowAnonymous().ExcludeFromDescription();
    }

    private static async Task<IResult> SetOutAsync(string? next, HttpContext http, OpenIdOptions options, OpenIdProvider provider, OpenIdTrips trips, ILogger<OpenIdProvider> log)
    {
        try
        {
            var trip = trips.Begin(http, LocalPath.Of(next));
            return Results.Redirect(await provider.AddressAsync(Back(http), trip.State, trip.Nonce, trip.Verifier, http.RequestAborted));
        }
        catch (OpenIdException e)
        {
            log.ProviderFailed(options.Authority.AbsoluteUri, e.Message);
            return Results.LocalRedirect("/login?problem=openid-away");
        }
    }

    private static async Task<IResult> ComeBackAsync(
        string? code, string? state, string? error, HttpContext http, OpenIdOptions options, OpenIdProvider provider, OpenIdTrips trips,
        Accounts accounts, LoginDoor door, LoginThrottle throttle, Migrator migrator, Tally tally, ILogger<OpenIdProvider> log)
    {
        var from = Policies.AddressOf(http);
        if (!throttle.Try(http.Connection.RemoteIpAddress))
        {
            tally.LoginRefused();
            log.LoginRefused("somebody", from, "too many tries");
            return Results.LocalRedirect("/login?problem=many");
        }

        try
        {
            var trip = trips.End(http, state ?? "") ?? throw new OpenIdException("nobody set out from here with this state, or it was used");
            var person = await provider.RedeemAsync(
                code ?? throw new OpenIdException(error is null ? "it sent no code" : "it refused"), Back(http), trip.Nonce, trip.Verifier, http.RequestAborted);
            var subject = $"{options.Authority.AbsoluteUri.TrimEnd('/')}|{person.Subject}";
            if (RoleOf(options, person) is not { } role)
            {
                // Also those who were let in before: their sessions and tokens go.
                var gone = await accounts.RemoveSubjectAsync(subject, http.RequestAborted);
                throw new OpenIdException($"{Plain.Clean(person.Name)} belongs to no group that is let in{(gone is null ? "" : $"; the user {gone} is removed with its tokens")}");
            }

            var user = await accounts.OfProviderAsync(subject, person.Name, role, http.RequestAborted);
            throttle.Forgive(http.Connection.RemoteIpAddress);
            await door.WelcomeAsync(http, user, "openid");
            return Results.LocalRedirect(trip.Next);
        }
        catch (OpenIdException e) when (e.IsAway)
        {
            log.ProviderFailed(options.Authority.AbsoluteUri, e.Message);
            return Results.LocalRedirect("/login?problem=openid-away");
        }
        catch (OpenIdException e)
        {
            tally.LoginRefused();
            log.LoginRefused("somebody", from, $"identity provider: {e.Message}");
            await migrator.RecordAsync(new Actor("somebody", from), "login refused", "openid", e.Message, http.RequestAborted);
            return Results.LocalRedirect("/login?problem=openid");
        }
    }

    // The highest of what its groups give.
    private static Role? RoleOf(OpenIdOptions options, OpenIdPerson person) =>
        person.Groups.Where(options.Roles.ContainsKey).Select(g => (Role?)options.Roles[g]).Max();

    // The name is one of ours: others do not get this far.
    private static Uri Back(HttpContext http) => new($"{http.Request.Scheme}://{http.Request.Host}{Callback}");
}
