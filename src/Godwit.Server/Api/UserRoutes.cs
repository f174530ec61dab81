using Godwit.Checks;
using Godwit.Metadata.Accounts;
using Godwit.Runs;
using Godwit.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Api;

/// <summary>Somebody who may use the server.</summary>
/// <param name="Name">The name to log in with.</param>
/// <param name="Role">What it may do.</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
/// <param name="SeenAt">When it logged in last (UTC).</param>
/// <param name="LockedUntil">Until when nobody can log in with its password (UTC).</param>
/// <param name="HasPassword">Whether it can log in with a password.</param>
/// <param name="IsFederated">Whether it can log in by way of an identity provider.</param>
public sealed record UserDocument(string Name, Role Role, DateTimeOffset CreatedAt, DateTimeOffset? SeenAt, DateTimeOffset? LockedUntil, bool HasPassword, bool IsFederated)
{
    internal static UserDocument Of(UserRecord user) => new(user.Name, user.Role, user.CreatedAt, user.SeenAt, user.LockedUntil, user.Password is not null, user.Subject is not null);
}

/// <summary>A user to be made.</summary>
/// <param name="Name">The name to log in with.</param>
/// <param name="Role">What it may do.</param>
/// <param name="Password">Its password, 12 to 200 characters.</param>
public sealed record NewUser(string Name, Role Role, string Password);

/// <summary>Another role.</summary>
/// <param name="Role">The role.</param>
public sealed record NewRole(Role Role);

/// <summary>Another password.</summary>
/// <param name="Password">12 to 200 characters.</param>
public sealed record NewPassword(string Password);

/// <summary>Users, for admins.</summary>
internal static class UserRoutes
{
    public static void MapUsers(this IEndpointRouteBuilder api)
    {
        var users = api.MapGroup("/users").WithTags("Users and tokens").RequireAuthorization(Policies.Admin);
        users.MapGet("/", ListAsync).WithName("listUsers");
        users.MapPost("/", AddAsync).WithName("addUser");
        users.MapGet("/{name}", ReadAsync).WithName("readUser");
        users.MapPut("/{name}/role", SetRoleAsync).WithName("setRole");
        users.MapPut("/{name}/password", SetPasswordAsync).WithName("setPassword");
        users.MapPost("/{name}/unlock", UnlockAsync).WithName("unlockUser");
        users.MapDelete("/{name}/sessions", EndSessionsAsync).WithName("endSessions");
        users.MapDelete("/{name}", RemoveAsync).WithName("removeUser");
    }

    /// <summary>The user of that name.</summary>
    /// <exception cref="NothingThereException">There is none.</exception>
    public static async Task<UserRecord> FindAsync(Accounts accounts, string name, CancellationToken ct) =>
        await accounts.FindAsync(name, ct) ?? throw new NothingThereException($"There is no user {name}.");

    /// <summary>Lists the users, by name.</summary>
    public static async Task<Ok<Page<UserDocument>>> ListAsync(Accounts accounts, [AsParameters] Paging paging, CancellationToken ct) =>
        TypedResults.Ok(paging.Of("users", (await accounts.ListAsync(ct)).Select(UserDocument.Of), u => u.Name));

    /// <summary>Tells of a user.</summary>
    /// <param name="name">The user.</param>
    public static async Task<Ok<UserDocument>> ReadAsync(Accounts accounts, string name, CancellationToken ct) => TypedResults.Ok(UserDocument.Of(await FindAsync(accounts, name, ct)));

    /// <summary>Makes a user with a password.</summary>
    public static async Task<Created<UserDocument>> AddAsync(Accounts accounts, Migrator migrator, Body<NewUser> body, HttpContext http, CancellationToken ct)
    {
        var user = body.Value;
        if (await accounts.FindAsync(user.Name, ct) is not null)
        {
            throw new WrongStateException($"There is a user {user.Name} already.");
        }

        Require(await accounts.AddAsync(user.Name, user.Role, user.Password, ct));
        await migrator.RecordAsync(Policies.ActorOf(http), "add user", user.Name, $"{user.Role}", ct);
        return TypedResults.Created($"/api/v1/users/{Uri.EscapeDataString(user.Name)}", UserDocument.Of(await FindAsync(accounts, user.Name, ct)));
    }

    /// <summary>Gives a user another role; its sessions and tokens have it from their next request on.</summary>
    /// <param name="name">The user.</param>
    public static async Task<Ok<UserDocument>> SetRoleAsync(Accounts accounts, Migrator migrator, string name, Body<NewRole> body, HttpContext http, CancellationToken ct)
    {
        await FindAsync(accounts, name, ct);
        Refuse(await accounts.SetRoleAsync(name, body.Value.Role, ct));
        await migrator.RecordAsync(Policies.ActorOf(http), "set role", name, $"{body.Value.Role}", ct);
        return TypedResults.Ok(UserDocument.Of(await FindAsync(accounts, name, ct)));
    }

    /// <summary>Gives a user another password, unlocks it, and ends its sessions.</summary>
    /// <param name="name">The user.</param>
    public static async Task<Ok<UserDocument>> SetPasswordAsync(Accounts accounts, Migrator migrator, string name, Body<NewPassword> body, HttpContext http, CancellationToken ct)
    {
        await FindAsync(accounts, name, ct);
        Require(await accounts.SetPasswordAsync(name, body.Value.Password, ct));
        await migrator.RecordAsync(Policies.ActorOf(http), "set password", name, ct: ct);
        return TypedResults.Ok(UserDocument.Of(await FindAsync(accounts, name, ct)));
    }

    /// <summary>Lets a user log in again at once who had too many wrong passwords.</summary>
    /// <param name="name">The user.</param>
    public static async Task<Ok<UserDocument>> UnlockAsync(Accounts accounts, Migrator migrator, string name, HttpContext http, CancellationToken ct)
    {
        await FindAsync(accounts, name, ct);
        Refuse(await accounts.UnlockAsync(name, ct));
        await migrator.RecordAsync(Policies.ActorOf(http), "unlock user", name, ct: ct);
        return TypedResults.Ok(UserDocument.Of(await FindAsync(accounts, name, ct)));
    }

    /// <summary>Ends all sessions of a user; its tokens stay good.</summary>
    /// <param name="name">The user.</param>
    public static async Task<NoContent> EndSessionsAsync(Accounts accounts, Migrator migrator, string name, HttpContext http, CancellationToken ct)
    {
        await FindAsync(accounts, name, ct);
        Refuse(await accounts.EndSessionsAsync(name, ct));
        await migrator.RecordAsync(Policies.ActorOf(http), "end sessions", name, ct: ct);
        return TypedResults.NoContent();
    }

    /// <summary>Removes a user with its sessions and tokens.</summary>
    /// <param name="name">The user.</param>
    public static async Task<NoContent> RemoveAsync(Accounts accounts, Migrator migrator, string name, HttpContext http, CancellationToken ct)
    {
        await FindAsync(accounts, name, ct);
        Refuse(await accounts.RemoveAsync(name, ct));
        await migrator.RecordAsync(Policies.ActorOf(http), "remove user", name, ct: ct);
        return TypedResults.NoContent();
    }

    private static void Require(IReadOnlyList<string> problems)
    {
        if (problems.Count > 0)
        {
            throw new InvalidRequestException(problems);
        }
    }

    private static void Refuse(string? problem)
    {
        if (problem is not null)
        {
            throw new WrongStateException(problem);
        }
    }
}
