using Godwit.Checks;
using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Api;

/// <summary>A token, without its secret.</summary>
/// <param name="Id">Its public part.</param>
/// <param name="Name">What it is for.</param>
/// <param name="User">Whose it is.</param>
/// <param name="Role">The most that it may do.</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
/// <param name="ExpiresAt">Until when it is good (UTC).</param>
/// <param name="UsedAt">When it was used last (UTC), to the minute.</param>
public sealed record TokenDocument(string Id, string Name, string User, Role Role, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? UsedAt)
{
    internal static TokenDocument Of(TokenRecord token) => new(token.Id, token.Name, token.User, token.Role, token.CreatedAt, token.ExpiresAt, token.UsedAt);
}

/// <summary>A token to be made.</summary>
/// <param name="User">Whose it is to be; it can do no more than its user, and goes with it.</param>
/// <param name="Name">What it is for, at most 100 characters.</param>
/// <param name="Role">The most that it may do.</param>
/// <param name="Days">For how many days it is good, 1 to 366.</param>
public sealed record NewToken(string User, string Name, Role Role, int Days);

/// <summary>A token that was made.</summary>
/// <param name="Secret">What a program sends as <c>Authorization: Bearer …</c>. It is told in the first answer only; null when that is repeated.</param>
/// <param name="Note">What to know of it.</param>
/// <param name="Token">What is known of it from now on.</param>
public sealed record MadeToken(string? Secret, string Note, TokenDocument Token);

/// <summary>Tokens, for admins.</summary>
internal static class TokenRoutes
{
    public static void MapTokens(this IEndpointRouteBuilder api)
    {
        var tokens = api.MapGroup("/tokens").WithTags("Users and tokens").RequireAuthorization(Policies.Admin);
        tokens.MapGet("/", ListAsync).WithName("listTokens");
        tokens.MapPost("/", MakeAsync).WithName("makeToken");
        tokens.MapDelete("/{id}", RemoveAsync).WithName("removeToken");
    }

    /// <summary>Lists the tokens of all users, the newest first, without their secrets.</summary>
    public static async Task<Ok<Page<TokenDocument>>> ListAsync(Tokens tokens, [AsParameters] Paging paging, CancellationToken ct) => TypedResults.Ok(
        paging.Of("tokens", (await tokens.ListAsync(null, ct)).Select(TokenDocument.Of), t => $"{Paging.Downwards(t.CreatedAt.ToUnixTimeMilliseconds())} {t.Id}"));

    /// <summary>Makes a token. Its secret is in this answer and can never be had again.</summary>
    public static async Task<Created<MadeToken>> MakeAsync(Tokens tokens, Accounts accounts, Migrator migrator, Body<NewToken> body, HttpContext http, CancellationToken ct)
    {
        var wish = body.Value;
        var user = await accounts.FindAsync(wish.User, ct) ?? throw new InvalidRequestException([$"user: there is no user {wish.User}."]);
        var (secret, problems) = await tokens.MakeAsync(user, wish.Name, wish.Role, wish.Days, ct);
        if (secret is null)
        {
            throw new InvalidRequestException(problems);
        }

        var token = TokenDocument.Of((await tokens.FindByIdAsync(Tokens.IdOf(secret), ct))!);
        await migrator.RecordAsync(Policies.ActorOf(http), "make token", token.Id, $"{token.Name}, of {token.User}, {token.Role}, {wish.Days} days", ct);
        Idempotency.KeepInstead(http, new MadeToken(null, "The secret was in the first answer and cannot be told again. When it did not arrive, remove this token and make another one.", token));
        return TypedResults.Created($"/api/v1/tokens/{token.Id}", new MadeToken(secret, "Keep the secret now: it cannot be told again.", token));
    }

    /// <summary>Takes a token away; it is no longer good from its next request on.</summary>
    /// <param name="id">The token's public part.</param>
    public static async Task<NoContent> RemoveAsync(Tokens tokens, Migrator migrator, string id, HttpContext http, CancellationToken ct)
    {
        var token = await tokens.FindByIdAsync(id, ct) ?? throw new NothingThereException($"There is no token {id}.");
        await tokens.RemoveAsync(id, ct);
        await migrator.RecordAsync(Policies.ActorOf(http), "take token away", token.Id, $"{token.Name}, of {token.User}", ct);
        return TypedResults.NoContent();
    }
}
