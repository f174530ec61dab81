using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Godwit.Server.Metrics;

/// <summary>/metrics, for Prometheus. Whoever has a token, of any role, may read it.</summary>
internal static class MetricsRoutes
{
    public static void AddScraping(this IServiceCollection services)
    {
        services.AddSingleton<Tally>();
        services.AddSingleton<HttpMeter>();
        services.AddSingleton<RequiredMigrations>();
        services.AddSingleton<Scrape>();
    }

    /// <summary>Begins to count. Belongs behind the authorization: only those who are let in have a page open.</summary>
    public static void UseScraping(this WebApplication app)
    {
        _ = app.Services.GetRequiredService<HttpMeter>();
        app.Use((http, next) => http.Request.Path.StartsWithSegments("/live") ? FollowAsync(http, next) : next(http));
    }

    public static void MapScraping(this IEndpointRouteBuilder app) => app.MapGet(
        "/metrics", async (Scrape scrape, CancellationToken ct) => Results.Text(await scrape.ReadAsync(ct), MetricText.ContentType)).ExcludeFromDescription();

    private static async Task FollowAsync(HttpContext http, RequestDelegate next)
    {
        var tally = http.RequestServices.GetRequiredService<Tally>();

        // A page may be open for days, which is not how long a request takes.
        http.Features.Get<IHttpMetricsTagsFeature>()?.MetricsDisabled = true;
        tally.PageOpened();
        try
        {
            await next(http);
        }
        finally
        {
            tally.PageClosed();
        }
    }
}
