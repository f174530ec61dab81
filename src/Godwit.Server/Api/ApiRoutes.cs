using Godwit.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Godwit.Server.Api;

/// <summary>The REST API, version 1.</summary>
internal static class ApiRoutes
{
    public static void AddApi(this IServiceCollection services)
    {
        services.AddOpenApi("v1");
        services.AddProblemDetails();
    }

    public static void MapApi(this IEndpointRouteBuilder app)
    {
        app.MapOpenApi("/api/{documentName}/openapi.json");
        var api = app.MapGroup("/api/v1").DisableAntiforgery();
        api.MapGet("/runs/{run}", (string run, Migrator migrator, CancellationToken ct) => migrator.StatusAsync(run, ct));
    }
}
