using System.Security.Claims;
using System.Text.Encodings.Web;
using Godwit.Server.Api;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Godwit.Server.Access;

/// <summary>Knows a program by <c>Authorization: Bearer godwit_…</c>.</summary>
internal sealed class TokenHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, KnownTokens tokens, Refusals refusals)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "token";

    private const string Bearer = "Bearer ";

    /// <summary>The token that a request brings; null when it brings none.</summary>
    public static string? TokenOf(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..].Trim() : null;
    }

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (TokenOf(Request) is not { } text)
        {
            return AuthenticateResult.NoResult();
        }

        if (await tokens.FindAsync(text, Request.Path.StartsWithSegments("/metrics"), Context.RequestAborted) is not var (user, token, role))
        {
            Logger.TokenRefused(Policies.AddressOf(Context));
            return AuthenticateResult.Fail("The token is not known, or no longer good.");
        }

        var caller = Policies.Principal(user, role, SchemeName, $"{user.Name} (token {token.Name})");
        ((ClaimsIdentity)caller.Identity!).AddClaim(new Claim(Policies.TokenClaim, token.Id));
        return AuthenticateResult.Success(new AuthenticationTicket(caller, SchemeName));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = "Bearer";
        await Refusal(StatusCodes.Status401Unauthorized, "Send a token that is still good: `Authorization: Bearer godwit_…`. People make tokens on the page of their account.").ExecuteAsync(Context);
    }

    protected override async Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        await refusals.NoteAsync(Context);
        await Refusal(StatusCodes.Status403Forbidden, $"This token is {Policies.RoleOf(Context.User)}, and that is not enough for this.").ExecuteAsync(Context);
    }

    private static IResult Refusal(int status, string sentence) => Problem.Of(status, sentence).ToResult();
}
