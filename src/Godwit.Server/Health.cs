using Godwit.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server;

/// <summary>
/// What probes ask: /healthz whether the process lives, /readyz whether it can serve, which takes its store. A server that is away or a run that
/// failed makes neither of them bad: that is when people need the pages most.
/// </summary>
internal static class HealthRoutes
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapGet("/healthz", () => Results.Text("alive")).AllowAnonymous().ExcludeFromDescription();
        app.MapGet("/readyz", ReadyAsync).AllowAnonymous().ExcludeFromDescription();
    }

    private static async Task<IResult> ReadyAsync(Migrator migrator, CancellationToken ct)
    {
        try
        {
            await migrator.SettingsAsync(ct).WaitAsync(Patience, ct);
            return Results.Text("ready");
        }
        catch (Exception e) when (e is StoreException or Plans.StoredFormatException or TimeoutException)
        {
            // The sentence, which may name files and hosts, is for those who are logged in.
            return Results.Text("the store does not answer", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }
}
