using System.Security.Claims;
using System.Text.Encodings.Web;
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

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return AuthenticateResult.NoResult();
        }

        if (await tokens.FindAsync(header[Bearer.Length..].Trim(), Request.Path.StartsWithSegments("/metrics"), Context.RequestAborted) is var (user, token, role))
        {
            return AuthenticateResult.Success(new AuthenticationTicket(Policies.Principal(user, role, SchemeName, $"{user.Name} (token {token.Name})"), SchemeName));
        }

        Logger.TokenRefused(Policies.AddressOf(Context));
        return AuthenticateResult.Fail("The token is not known, or no longer good.");
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

    private static IResult Refusal(int status, string sentence) => Results.Problem(sentence, statusCode: status);
}
