using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Microsoft.AspNetCore.Diagnostics;

namespace WebApp;

/// <summary>What Godwit refuses, and what is away, is told in its own sentences: they are written for people.</summary>
internal sealed class GodwitTroubles(IProblemDetailsService problems) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        int? status = exception switch
        {
            InvalidRequestException => StatusCodes.Status400BadRequest,
            RunNotFoundException => StatusCodes.Status404NotFound,
            RunConflictException => StatusCodes.Status409Conflict,
            StoreException or ClickHouseException => StatusCodes.Status503ServiceUnavailable,
            _ => null,
        };
        if (status is null)
        {
            return false;
        }

        httpContext.Response.StatusCode = status.Value;
        return await problems.TryWriteAsync(new() { HttpContext = httpContext, ProblemDetails = { Status = status, Detail = exception.Message } });
    }
}
