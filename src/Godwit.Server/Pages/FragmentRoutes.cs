using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.Metadata;
using Godwit.Server.Access;
using Godwit.Server.Pages.Parts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Pages;

/// <summary>The parts of pages that a script fetches when somebody scrolls to them or points at them.</summary>
internal static class FragmentRoutes
{
    public static void MapFragments(this IEndpointRouteBuilder app)
    {
        app.MapGet("/runs/{run}/steps", StepsAsync).ExcludeFromDescription();
        app.MapGet("/runs/{run}/cells", CellsAsync).ExcludeFromDescription();
        app.MapGet("/tables/rows", TablesAsync).ExcludeFromDescription();
        app.MapGet("/compare/report", CompareAsync).ExcludeFromDescription();
        app.MapGet("/rebuild/advice", AdviceAsync).RequireAuthorization(Policies.Operator).ExcludeFromDescription();
    }

    private static async Task<IResult> StepsAsync(string run, int? after, Migrator migrator, CancellationToken ct)
    {
        try
        {
            var status = await migrator.StatusAsync(run, ct);
            return new RazorComponentResult<StepRows>(new Dictionary<string, object?>
            {
                [nameof(StepRows.Steps)] = status.Steps.Skip(Math.Max(0, after ?? 0)).Take(RunSteps.Stretch),
                [nameof(StepRows.Run)] = run,
            });
        }
        catch (RunNotFoundException)
        {
            return Results.NotFound();
        }
    }

    private static async Task<IResult> TablesAsync(string? q, int? after, Migrator migrator, CancellationToken ct)
    {
        try
        {
            var page = await migrator.TablesAsync(new TableFilter { Search = q }, TableRows.Stretch, Math.Max(0, after ?? 0), ct);
            return new RazorComponentResult<TableRows>(new Dictionary<string, object?> { [nameof(TableRows.Tables)] = page.Tables });
        }
        catch (ClickHouseException e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status502BadGateway);
        }
    }

    private static async Task<IResult> CompareAsync(HttpContext http, Migrator migrator, CancellationToken ct)
    {
        try
        {
            var form = CompareForm.Read(http);
            return new RazorComponentResult<ComparisonReport>(new Dictionary<string, object?> { [nameof(ComparisonReport.Comparison)] = await migrator.CompareAsync(form.Request(), ct) });
        }
        catch (InvalidRequestException e)
        {
            return new RazorComponentResult<ComparisonReport>(new Dictionary<string, object?> { [nameof(ComparisonReport.Problems)] = e.Problems });
        }
        catch (ClickHouseException e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status502BadGateway);
        }
    }

    private static async Task<IResult> AdviceAsync(string? name, Migrator migrator, CancellationToken ct)
    {
        if (TableLink.Read(name) is not { } table)
        {
            return Results.NotFound();
        }

        try
        {
            return new RazorComponentResult<Advice>(new Dictionary<string, object?>
            {
                [nameof(Advice.Keys)] = await migrator.SuggestKeysAsync(table, ct: ct),
                [nameof(Advice.Selectivity)] = await migrator.KeySelectivityAsync(table, [], ct: ct),
            });
        }
        catch (ClickHouseException e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status502BadGateway);
        }
    }

    // What each cell of the grid stands for, in its order.
    private static async Task<IResult> CellsAsync(string run, RunPage page, CancellationToken ct)
    {
        try
        {
            return Results.Json((await page.ReadAsync(run, ct)).Cells.Select(c => new { step = c.Index, name = $"{c.Description}{(c.RowsTotal is { } rows ? $", {Plain.Count(rows)} rows" : "")}" }));
        }
        catch (RunNotFoundException)
        {
            return Results.NotFound();
        }
    }
}
