using System.ComponentModel.DataAnnotations;
using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;
using Godwit.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Api;

/// <summary>What a rebuild is to be planned with.</summary>
public sealed record RebuildPlanRequest
{
    /// <summary>What the table is to become.</summary>
    public required RebuildRequest Rebuild { get; init; }

    /// <summary>How the run is to behave.</summary>
    public RunOptions Options { get; init; } = new();
}

/// <summary>Whether a table can be rebuilt.</summary>
/// <param name="Table">The table.</param>
/// <param name="IsOk">Whether nothing stands against it.</param>
/// <param name="Checks">What every check found.</param>
public sealed record Diagnosis(QualifiedName Table, bool IsOk, IReadOnlyList<CheckResult> Checks);

/// <summary>Tables: whether they can be rebuilt, and how.</summary>
internal static class TableRoutes
{
    public static void MapTables(this IEndpointRouteBuilder api)
    {
        var tables = api.MapGroup("").WithTags("Tables");
        tables.MapGet("/doctor", DiagnoseAsync).WithName("diagnoseTable");

        // Who plans may say SQL that is asked at once (brakes), so it takes who may run it.
        tables.MapPost("/rebuilds/plan", PlanAsync).WithName("planRebuild").WithMetadata(new ChangesNothing()).RequireAuthorization(Policies.Operator);
    }

    /// <summary>Asks all checks that concern a table, whatever it is to become. Changes nothing.</summary>
    /// <param name="table">The table, <c>db.table</c>; a part with a dot or another special character stands in double quotes or backticks.</param>
    public static async Task<Ok<Diagnosis>> DiagnoseAsync(Migrator migrator, [FromQuery, Required] string? table, CancellationToken ct)
    {
        if (!QualifiedName.TryParse(table, out var name, out var error))
        {
            throw new InvalidRequestException([error]);
        }

        var checks = await migrator.DiagnoseAsync(name, ct);
        return TypedResults.Ok(new Diagnosis(name, !checks.Any(c => c.Blocks), checks));
    }

    /// <summary>Asks all checks of a rebuild and shows the steps that would be done. Changes nothing.</summary>
    public static async Task<Ok<PlanDocument>> PlanAsync(Migrator migrator, Body<RebuildPlanRequest> body, CancellationToken ct) =>
        TypedResults.Ok(PlanDocument.Of(await migrator.ProposeAsync(body.Value.Rebuild, body.Value.Options, ct)));
}
