using System.ComponentModel.DataAnnotations;
using Godwit.Checks;
using Godwit.Inspection;
using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Api;

/// <summary>How two tables differ.</summary>
internal static class ComparisonRoutes
{
    /// <summary>What is said to a viewer who gives a condition.</summary>
    public const string ConditionTakesOperator = "A condition is SQL that is asked at once, so it takes the role Operator; compare without one, or ask an operator.";

    public static void MapComparison(this IEndpointRouteBuilder api) => api.MapGroup("").WithTags("Tables")
        .MapGet("/tables/comparison", CompareAsync).WithName("compareTables")
        .WithMetadata(new ProducesResponseTypeMetadata(StatusCodes.Status403Forbidden, typeof(Problem), [Problem.ContentType]));

    /// <summary>Counts the rows of two tables by partition, day and columns, and tells where they differ.</summary>
    /// <remarks>The server reads the columns that are counted by, once for each, which takes its time for billions of rows. Who gives up ends it.</remarks>
    /// <param name="a">The one side, `db.table`, or all tables whose names match a pattern as one, `db./^events_/`.</param>
    /// <param name="b">The other side.</param>
    /// <param name="by">A column to count by too; up to ten.</param>
    /// <param name="day">The column whose days are counted by; found when nothing is said.</param>
    /// <param name="id">The column whose unique values are counted; `uuid` or `id`, if there is one, when nothing is said.</param>
    /// <param name="where">Only rows for which this SQL expression is true. It takes the role Operator.</param>
    /// <param name="limit">How many differences of each count are told, the largest; 20 when nothing is said.</param>
    public static async Task<Ok<Comparison>> CompareAsync(
        Migrator migrator,
        HttpContext http,
        [FromQuery, Required] string? a,
        [FromQuery, Required] string? b,
        [FromQuery] string[]? by,
        [FromQuery] string? day,
        [FromQuery] string? id,
        [FromQuery] string? where,
        [FromQuery, Range(1, ComparisonRequest.MostLimit)] int? limit,
        CancellationToken ct)
    {
        List<string> problems = [];
        var sides = ComparisonRequest.Read(a, b, problems) ?? throw new InvalidRequestException(problems);
        if (where is not null && !Policies.Can(http.User, Role.Operator))
        {
            throw new NotAllowedException(ConditionTakesOperator);
        }

        return TypedResults.Ok(await migrator.CompareAsync(sides with { By = by ?? [], Day = day, Id = id, Where = where, Limit = limit ?? ComparisonRequest.DefaultLimit }, ct));
    }
}
