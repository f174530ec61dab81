using Godwit.Server.Access;
using Godwit.Server.Live;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Api;

/// <summary>What happens to runs, as it happens.</summary>
internal static class EventRoutes
{
    public static void MapEvents(this IEndpointRouteBuilder api)
    {
        var events = api.MapGroup("").WithTags("Runs");
        events.MapGet("/runs/{run}/events", FollowAsync).WithName("followRun").Produces<string>(contentType: "text/event-stream");
        events.MapGet("/events", FollowAll).WithName("followRuns").Produces<string>(contentType: "text/event-stream");
    }

    /// <summary>Tells the status of a run now and whenever it has changed, as server-sent events.</summary>
    /// <remarks>
    /// Events of type `status` hold the document of `GET /runs/{run}`; `trouble` holds a sentence about a store that is away. After `end`, which comes when the run is
    /// completed, rolled back or refused, nothing more is sent. A client that comes back with `Last-Event-ID` is not told again what it has seen.
    /// </remarks>
    /// <param name="run">The run's id.</param>
    public static async Task<IResult> FollowAsync(Migrator migrator, RunWatch watch, Tokens tokens, string run, HttpContext http, CancellationToken ct)
    {
        await migrator.StatusAsync(run, ct);
        return new EventStream(end => watch.FollowAsync(run, http.Request.Headers["Last-Event-ID"], end), () => IsGoodAsync(tokens, http));
    }

    /// <summary>Tells the status of every run that is not at its end, and then of every run whenever it has changed, as server-sent events.</summary>
    /// <remarks>The events are those of a run; the `runId` in each says which one. There is no `end`.</remarks>
    public static EventStream FollowAll(RunWatch watch, Tokens tokens, HttpContext http) => new EventStream(watch.FollowAllAsync, () => IsGoodAsync(tokens, http));

    // A token that was taken away, or has expired, ends what it listens to.
    private static async Task<bool> IsGoodAsync(Tokens tokens, HttpContext http) => await tokens.FindAsync(TokenHandler.TokenOf(http.Request) ?? "", http.RequestAborted) is not null;
}
