using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Godwit.Server.Api;

/// <summary>The REST API, version 1: a file for each resource. It does everything that the command line does, over the same <see cref="Migrator"/>.</summary>
internal static class ApiRoutes
{
    private const string Description = "/api/v1/openapi.json";

    public static void AddApi(this IServiceCollection services)
    {
        services.AddOpenApi("v1", ApiDescription.Configure);
        services.AddProblemDetails();
        services.ConfigureHttpJsonOptions(o => ApiJson.Configure(o.SerializerOptions));
        services.AddSingleton<Idempotency>();
        services.AddSingleton<RunWatch>();
    }

    public static void UseApi(this IApplicationBuilder app) => app.UseMiddleware<ApiGate>();

    public static void MapApi(this IEndpointRouteBuilder app)
    {
        app.MapOpenApi("/api/{documentName}/openapi.json");
        var api = app.MapGroup("/api/v1").DisableAntiforgery();
        api.MapRuns();
        api.MapRunParts();
        api.MapRunActions();
        api.MapEvents();
        api.MapMigrations();
        api.MapTables();
        api.MapComparison();
        api.MapSettings();
        api.MapInstance();
        api.MapUsers();
        api.MapTokens();
        ((IEndpointConventionBuilder)api).Finally(Describe);
    }

    private static void Describe(EndpointBuilder endpoint)
    {
        var call = ApiCall.Of(endpoint);
        endpoint.Metadata.Add(call);
        ApiDescription.AddRefusals(endpoint, call);
    }

    /// <summary>Whether somebody with a browser asks for the description of the API: it is no secret, and he has a cookie and no token.</summary>
    public static bool IsForPeople(HttpRequest request) => request.Path.Equals(Description, StringComparison.OrdinalIgnoreCase) && !request.Headers.ContainsKey(HeaderNames.Authorization);
}
