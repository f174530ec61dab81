using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace WebApp;

/// <summary>The health of the application with the sentences of its checks; without it there would be one word.</summary>
internal static class HealthPage
{
    public static Task WriteAsync(HttpContext context, HealthReport report) => context.Response.WriteAsJsonAsync(new
    {
        status = report.Status,
        checks = report.Entries.ToDictionary(e => e.Key, e => e.Value.Description),
    });
}
