using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Godwit.Server.Api;

/// <summary>Makes a <see cref="Problem"/> of whatever goes wrong below /api.</summary>
internal sealed partial class ApiErrors(RequestDelegate next, ILogger<ApiErrors> log)
{
    [SuppressMessage("Design", "CA1031", Justification = "The last line: a defect is logged, and answered without its details.")]
    public async Task InvokeAsync(HttpContext http)
    {
        if (!http.Request.Path.StartsWithSegments("/api"))
        {
            await next(http);
            return;
        }

        try
        {
            await next(http);
            if (http.Response is { StatusCode: >= 400, HasStarted: false, ContentLength: null, ContentType: null })
            {
                await WriteAsync(http, Problem.Of(http.Response.StatusCode, Sentence(http)));
            }
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be answered.
            http.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            var problem = Problem.Of(e) ?? Problem.Defect(http);
            if (problem.TraceId is { } trace)
            {
                Defect(log, e, http.Request.Method, http.GetEndpoint()?.DisplayName, trace);
            }

            await WriteAsync(http, problem);
        }
    }

    private static Task WriteAsync(HttpContext http, Problem problem)
    {
        http.Response.StatusCode = problem.Status;
        return http.Response.WriteAsJsonAsync(problem, options: null, Problem.ContentType, http.RequestAborted);
    }

    private static string Sentence(HttpContext http) => http.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => $"There is nothing at {http.Request.Path}; /api/v1/openapi.json lists what there is.",
        StatusCodes.Status405MethodNotAllowed => $"{http.Request.Path} does not take {http.Request.Method}; it takes {http.Response.Headers.Allow}.",
        StatusCodes.Status415UnsupportedMediaType => $"Send JSON: Content-Type: {StrictJson.ContentType}.",
        _ => "The request cannot be read.",
    };

    [LoggerMessage(20, LogLevel.Error, "{Method} on {Endpoint} met an error that Godwit does not know; the caller was given the trace id {TraceId}")]
    private static partial void Defect(ILogger log, Exception exception, string method, string? endpoint, string traceId);
}
