using Godwit.Metadata;
using Godwit.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Godwit.Server;

/// <summary>What becomes of an exception that nobody expected: it is logged under a number, and whoever asked is told that number and no more.</summary>
internal static class Failures
{
    public static void AddFailures(this IServiceCollection services) => services.AddExceptionHandler<FailureLog>();

    public static void UseFailures(this WebApplication app) => app.UseExceptionHandler(new ExceptionHandlerOptions
    {
        ExceptionHandlingPath = "/failed",
        CreateScopeForErrors = true,
        StatusCodeSelector = StatusOf,

        // It is logged here, with the number.
        SuppressDiagnosticsCallback = _ => true,
    });

    public static int StatusOf(Exception e) => e switch
    {
        BadHttpRequestException bad => bad.StatusCode,
        StoreException => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };
}

/// <inheritdoc cref="Failures"/>
internal sealed partial class FailureLog(ILogger<FailureLog> log) : IExceptionHandler
{
    /// <summary>The number under which a request is logged.</summary>
    public static string TraceOf(HttpContext http) => http.TraceIdentifier;

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var status = Failures.StatusOf(exception);
        if (status >= StatusCodes.Status500InternalServerError)
        {
            Failed(log, exception, TraceOf(httpContext), httpContext.Request.Method, Plain.Clean(httpContext.Features.Get<IExceptionHandlerPathFeature>()?.Path ?? ""));
        }

        if (status >= StatusCodes.Status500InternalServerError && !AccessSetup.IsForPrograms(httpContext))
        {
            return false;
        }

        httpContext.Response.StatusCode = status;
        await Results.Problem(
            status < StatusCodes.Status500InternalServerError ? "The request could not be understood, so nothing was done." : $"Something went wrong. It is in the log, under {TraceOf(httpContext)}.",
            statusCode: status).ExecuteAsync(httpContext);
        return true;
    }

    // Without the query, which may hold the code of the first admin's link.
    [LoggerMessage(2101, LogLevel.Error, "Request {Trace} failed: {Method} {Path}")]
    private static partial void Failed(ILogger logger, Exception exception, string trace, string method, string path);
}
