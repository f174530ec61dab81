using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using Godwit.Checks;
using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Godwit.Migrations;
using Godwit.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Api;

/// <summary>Whether the application may be upgraded.</summary>
/// <param name="To">To which version.</param>
/// <param name="Blocks">Whether the upgrade must wait; false when the setting blockUpgrade is off.</param>
/// <param name="Reasons">What it would have to wait for, one sentence each.</param>
public sealed record UpgradeDocument(string To, bool Blocks, IReadOnlyList<string> Reasons);

/// <summary>Who calls.</summary>
/// <param name="User">Whose token it is.</param>
/// <param name="Role">What it may do.</param>
/// <param name="Token">The token's public part.</param>
/// <param name="Name">How the audit trail calls it.</param>
/// <param name="Server">The ClickHouse server, as host:port.</param>
public sealed record Whoami(string User, Role Role, string Token, string Name, string Server);

/// <summary>What concerns the instance as a whole.</summary>
internal static class InstanceRoutes
{
    public static void MapInstance(this IEndpointRouteBuilder api)
    {
        var instance = api.MapGroup("").WithTags("Instance");
        instance.MapGet("/whoami", TellWho).WithName("whoami");
        instance.MapGet("/upgrade", UpgradeAsync).WithName("checkUpgrade");
        instance.MapGet("/audit", AuditAsync).WithName("listAudit");
    }

    /// <summary>Tells who calls and what it may do.</summary>
    public static Ok<Whoami> TellWho(Migrator migrator, ClaimsPrincipal caller) => TypedResults.Ok(new Whoami(
        caller.FindFirstValue(ClaimTypes.NameIdentifier)!, Policies.RoleOf(caller), caller.FindFirstValue(Policies.TokenClaim)!, caller.Identity!.Name!, migrator.Node));

    /// <summary>Tells whether the application may be upgraded, and what stands against it.</summary>
    /// <param name="to">The version to upgrade to, such as 1.44.0.</param>
    public static async Task<Ok<UpgradeDocument>> UpgradeAsync(Migrator migrator, [FromQuery, Required] string? to, CancellationToken ct)
    {
        if (to is null || !VersionRange.IsVersion(to))
        {
            throw new InvalidRequestException([to is null ? "Nothing says to which version the application is to be upgraded: ?to=VERSION." : $"to: '{to}' is not a version such as 1.42.0."]);
        }

        var gate = await migrator.UpgradeAsync(to, ct);
        return TypedResults.Ok(new UpgradeDocument(to, gate.Blocks, gate.Reasons));
    }

    /// <summary>Lists who did what, when and from where, the newest first.</summary>
    public static async Task<Ok<Page<AuditEntry>>> AuditAsync(Migrator migrator, [AsParameters] Paging paging, CancellationToken ct) =>
        TypedResults.Ok(paging.Cut("audit", await migrator.AuditAsync(paging.Most + 1, paging.NumberAfter("audit"), ct), e => Paging.Position(e.Id)));
}
