using System.ComponentModel.DataAnnotations;
using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Inspection;
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

/// <summary>What a rebuild is to be estimated with.</summary>
public sealed record EstimateRequest
{
    /// <summary>What the table is to become.</summary>
    public required RebuildRequest Rebuild { get; init; }

    /// <summary>How many days back the queries of the log count.</summary>
    public int Days { get; init; } = TableRoutes.Days;
}

/// <summary>Tables and nodes: what there is, whether and how tables can be rebuilt, and what that would bring.</summary>
internal static class TableRoutes
{
    /// <summary>How many days back the log is read when nothing is said.</summary>
    public const int Days = 7;

    private const int MostDays = 365;

    public static void MapTables(this IEndpointRouteBuilder api)
    {
        var tables = api.MapGroup("").WithTags("Tables");
        tables.MapGet("/nodes", NodesAsync).WithName("listNodes");

        // Names of tables may hold anything, slashes too, so they stand behind the question mark.
        tables.MapGet("/tables", ListAsync).WithName("listTables");
        tables.MapGet("/tables/detail", ReadAsync).WithName("readTable");
        tables.MapGet("/tables/doctor", DiagnoseAsync).WithName("diagnoseTable");

        // They show what others have asked the server, word for word, and ask it again what that reads.
        tables.MapGet("/tables/workload", WorkloadAsync).WithName("readWorkload").RequireAuthorization(Policies.Operator);
        tables.MapGet("/tables/keys", KeysAsync).WithName("readKeys").RequireAuthorization(Policies.Operator);
        tables.MapGet("/tables/suggestions", SuggestAsync).WithName("suggestKeys").RequireAuthorization(Policies.Operator);

        // Who plans says SQL that is asked at once (brakes, definitions), so it takes who may run it.
        tables.MapPost("/rebuilds/plan", PlanAsync).WithName("planRebuild").WithMetadata(new ChangesNothing()).RequireAuthorization(Policies.Operator);
        tables.MapPost("/rebuilds/estimate", EstimateAsync).WithName("estimateRebuild").WithMetadata(new ChangesNothing()).RequireAuthorization(Policies.Operator);
    }

    /// <summary>Lists the nodes of the cluster, or the one server, as they are now. A node that is away is an entry that says so.</summary>
    public static async Task<Ok<Page<NodeStatus>>> NodesAsync(Migrator migrator, [AsParameters] Paging paging, CancellationToken ct) =>
        TypedResults.Ok(paging.Of("nodes", await migrator.NodesAsync(ct), n => n.Name));

    /// <summary>Lists the tables of the server by name, without the server's and Godwit's own.</summary>
    /// <param name="search">Only those whose names hold this.</param>
    /// <param name="views">Whether views are listed too.</param>
    public static async Task<Ok<Page<TableOverview>>> ListAsync(Migrator migrator, [AsParameters] Paging paging, [FromQuery] string? search, [FromQuery] bool? views, CancellationToken ct)
    {
        var all = await migrator.TablesAsync(new TableFilter { Search = search, Views = views ?? false }, int.MaxValue, ct: ct);
        return TypedResults.Ok(paging.Of("tables", all.Tables, t => t.Table.ToString()));
    }

    /// <summary>Tells everything about a table: columns, partitions, mutations, merges, views.</summary>
    /// <param name="table">The table, `db.table`; a part with a dot or another special character stands in double quotes or backticks.</param>
    public static async Task<Ok<TableDetail>> ReadAsync(Migrator migrator, [FromQuery, Required] string? table, CancellationToken ct)
    {
        var name = NameOf(table);
        return TypedResults.Ok(await migrator.TableAsync(name, ct) ?? throw new NothingThereException($"There is no table {name} on {migrator.Node}."));
    }

    /// <summary>Asks all checks that concern a table, whatever it is to become. Changes nothing.</summary>
    /// <inheritdoc cref="ReadAsync"/>
    public static async Task<Ok<Diagnosis>> DiagnoseAsync(Migrator migrator, [FromQuery, Required] string? table, CancellationToken ct)
    {
        var name = NameOf(table);
        var checks = await migrator.DiagnoseAsync(name, ct);
        return TypedResults.Ok(new Diagnosis(name, !checks.Any(c => c.Blocks), checks));
    }

    /// <summary>Tells which queries the server's log holds on a table.</summary>
    /// <param name="table">The table, `db.table`.</param>
    /// <param name="days">How many days back; 7 when nothing is said.</param>
    public static async Task<Ok<Workload>> WorkloadAsync(Migrator migrator, [FromQuery, Required] string? table, [FromQuery, Range(1, MostDays)] int? days, CancellationToken ct) =>
        TypedResults.Ok(await migrator.WorkloadAsync(NameOf(table), days ?? Days, ct));

    /// <summary>Tells how well the present key of a table, and other columns, tell its rows apart.</summary>
    /// <param name="table">The table, `db.table`.</param>
    /// <param name="column">The other columns; those in the conditions of the queries in the log when none is named.</param>
    /// <param name="days">How many days back the log counts; 7 when nothing is said.</param>
    public static async Task<Ok<KeySelectivity>> KeysAsync(
        Migrator migrator, [FromQuery, Required] string? table, [FromQuery] string[]? column, [FromQuery, Range(1, MostDays)] int? days, CancellationToken ct) =>
        TypedResults.Ok(await migrator.KeySelectivityAsync(NameOf(table), column ?? [], days ?? Days, ct));

    /// <summary>Proposes sorting keys that would serve the queries in the log better than the present one.</summary>
    /// <param name="table">The table, `db.table`.</param>
    /// <param name="days">How many days back the log counts; 7 when nothing is said.</param>
    public static async Task<Ok<KeyProposals>> SuggestAsync(Migrator migrator, [FromQuery, Required] string? table, [FromQuery, Range(1, MostDays)] int? days, CancellationToken ct) =>
        TypedResults.Ok(await migrator.SuggestKeysAsync(NameOf(table), days ?? Days, ct));

    /// <summary>Asks all checks of a rebuild and shows the steps that would be done. Changes nothing.</summary>
    public static async Task<Ok<PlanDocument>> PlanAsync(Migrator migrator, Body<RebuildPlanRequest> body, CancellationToken ct) =>
        TypedResults.Ok(PlanDocument.Of(await migrator.ProposeAsync(body.Value.Rebuild, body.Value.Options, ct)));

    /// <summary>Tells which queries of the log a rebuild makes faster or slower, and what disk and time it takes. Changes nothing.</summary>
    /// <remarks>It is measured on a sample in temporary tables, which takes seconds to a few minutes.</remarks>
    public static async Task<Ok<RebuildEstimate>> EstimateAsync(Migrator migrator, Body<EstimateRequest> body, CancellationToken ct) => body.Value.Days is >= 1 and <= MostDays
        ? TypedResults.Ok(await migrator.EstimateAsync(body.Value.Rebuild, body.Value.Days, ct))
        : throw new InvalidRequestException([$"days: '{body.Value.Days}' is not a whole number from 1 to {MostDays}."]);

    private static QualifiedName NameOf(string? table) => QualifiedName.TryParse(table, out var name, out var error) ? name : throw new InvalidRequestException([error]);
}
