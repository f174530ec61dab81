using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Godwit.Server.Metrics;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Godwit.Server.Access;

/// <summary>Lets people in and out.</summary>
internal sealed class LoginDoor(
    Accounts accounts, Sessions sessions, SessionCookie cookie, LoginThrottle throttle, Migrator migrator, ServeOptions options, TimeProvider clock, Tally tally,
    ILogger<LoginDoor> log)
{
    /// <summary>What a refusal says. It is the same whether there is such a user or not, and whether the name is locked or not.</summary>
    public static readonly string Refusal =
        $"The name or the password is wrong. After {Accounts.MostFailures} wrong ones in a row nobody can log in by a name for {Accounts.LockOut.TotalMinutes:0} minutes; an admin can unlock it at once.";

    /// <summary>What is said to an address that tried too often.</summary>
    public static readonly string TooMany = $"Too many logins were tried from your address. Wait {LoginThrottle.Window.TotalMinutes:0} minutes.";

    // What is written differs between names that exist and others. Nobody can tell that by a clock.
    private static readonly TimeSpan Refusing = TimeSpan.FromMilliseconds(400);

    /// <summary>Whether an identity provider is configured.</summary>
    public bool HasOpenId => options.OpenId is not null;

    /// <summary>Logs somebody in.</summary>
    /// <returns>Why not, in a sentence that does not tell whether there is such a user; null when it was done.</returns>
    public async Task<string?> LoginAsync(HttpContext http, string name, string password)
    {
        var (user, problem) = await LookAsync(http, name, password, "login");
        if (user is not null)
        {
            await WelcomeAsync(http, user, "password");
        }

        return problem;
    }

    /// <summary>Gives whoever is logged in another password, which ends all other sessions.</summary>
    /// <returns>Everything that is wrong, one sentence each; empty when it was done.</returns>
    public async Task<IReadOnlyList<string>> ChangePasswordAsync(HttpContext http, string name, string present, string wanted)
    {
        var ct = http.RequestAborted;
        var (user, problem) = await LookAsync(http, name, present, "change password");
        if (user is null)
        {
            return [problem == Refusal ? "The present password is wrong." : problem!];
        }

        if (await accounts.SetPasswordAsync(name, wanted, ct) is { Count: > 0 } problems)
        {
            return problems;
        }

        await migrator.RecordAsync(Policies.ActorOf(http), "change password", name, ct: ct);
        if (await accounts.FindAsync(name, ct) is { } changed)
        {
            await BeginAsync(http, changed);
        }

        return [];
    }

    /// <summary>Lets in somebody of whom it is known who it is.</summary>
    public async Task WelcomeAsync(HttpContext http, UserRecord user, string how)
    {
        var from = Policies.AddressOf(http);
        await migrator.RecordAsync(new Actor(user.Name, from), "login", user.Name, how, http.RequestAborted);
        log.LoggedIn(user.Name, from, how);
        await BeginAsync(http, user);
    }

    /// <summary>Ends the session that the request comes with.</summary>
    public async Task LeaveAsync(HttpContext http)
    {
        if (cookie.Read(http) is { } key)
        {
            await sessions.EndAsync(key, http.RequestAborted);
            cookie.Delete(http);
        }

        if (http.User.Identity is { IsAuthenticated: true, Name: { } name })
        {
            log.LoggedOut(name, Policies.AddressOf(http));
        }
    }

    private async Task BeginAsync(HttpContext http, UserRecord user)
    {
        if (cookie.Read(http) is { } old)
        {
            await sessions.EndAsync(old, http.RequestAborted);
        }

        cookie.Write(http, await sessions.BeginAsync(user, http.RequestAborted));
    }

    private async Task<(UserRecord? User, string? Problem)> LookAsync(HttpContext http, string name, string password, string what)
    {
        var (ct, began, from) = (http.RequestAborted, clock.GetTimestamp(), Policies.AddressOf(http));
        if (!throttle.Try(http.Connection.RemoteIpAddress))
        {
            tally.LoginRefused();
            log.LoginRefused("somebody", from, "too many tries");
            return (null, TooMany);
        }

        var (outcome, user) = await accounts.LoginAsync(name, password, ct);
        if (user is not null)
        {
            throttle.Forgive(http.Connection.RemoteIpAddress);
            return (user, null);
        }

        // Who types a password where the name belongs does not find it in the audit trail.
        var (who, why) = outcome switch
        {
            LoginOutcome.Unknown => ("somebody", "no such user"),
            LoginOutcome.Locked => (name, "locked"),
            _ => (name, "wrong password"),
        };
        await migrator.RecordAsync(new Actor(who, from), $"{what} refused", who, why, ct);
        tally.LoginRefused();
        log.LoginRefused(who, from, why);
        if (Refusing - clock.GetElapsedTime(began) is { Ticks: > 0 } rest)
        {
            await Task.Delay(rest, ct);
        }

        return (null, Refusal);
    }
}

/// <summary>The way out.</summary>
internal static class LogoutRoutes
{
    public static void MapLogout(this IEndpointRouteBuilder app) => app.MapPost("/logout", async (HttpContext http, IAntiforgery antiforgery, LoginDoor door) =>
    {
        if (!await antiforgery.IsRequestValidAsync(http))
        {
            return Results.StatusCode(StatusCodes.Status400BadRequest);
        }

        await door.LeaveAsync(http);
        return Results.LocalRedirect("/login");
    }).ExcludeFromDescription();
}
