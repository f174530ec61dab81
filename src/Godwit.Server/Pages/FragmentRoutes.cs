using Godwit.Metadata;
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
