using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Server.Access;
using Godwit.Server.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Godwit.Server.Live;

/// <summary>The streams that open pages listen to. A browser connects again by itself, and the first event is whole again.</summary>
internal static class LiveRoutes
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    public static void MapLive(this IEndpointRouteBuilder app)
    {
        var live = app.MapGroup("/live").ExcludeFromDescription();
        live.MapGet("/runs/{run}", FollowRunAsync);
        live.MapGet("/overview", (OverviewPage page, LiveHub<LiveFrame> hub, HttpContext http, IHostApplicationLifetime life) =>
            Stream(http, life, hub, "overview", () => page.LookAsync(CancellationToken.None)));
    }

    private static async Task<IResult> FollowRunAsync(string run, Migrator migrator, RunPage page, LiveHub<LiveFrame> hub, HttpContext http, IHostApplicationLifetime life)
    {
        try
        {
            await migrator.StatusAsync(run, http.RequestAborted);
            return Stream(http, life, hub, $"run {run}", () => page.LookAsync(run, CancellationToken.None));
        }
        catch (RunNotFoundException)
        {
            // Or somebody could have the store asked for ever for what is not there.
            return Results.NotFound();
        }
    }

    private static ServerSentEventsResult<string> Stream(HttpContext http, IHostApplicationLifetime life, LiveHub<LiveFrame> hub, string key, Func<Task<LiveFrame>> look)
    {
        http.Response.Headers["X-Accel-Buffering"] = "no";
        return TypedResults.ServerSentEvents(EventsAsync(http, life, hub, key, look, http.RequestAborted));
    }

    private static async IAsyncEnumerable<SseItem<string>> EventsAsync(
        HttpContext http, IHostApplicationLifetime life, LiveHub<LiveFrame> hub, string key, Func<Task<LiveFrame>> look, [EnumeratorCancellation] CancellationToken ct)
    {
        var (sessions, cookie) = (http.RequestServices.GetRequiredService<Sessions>(), http.RequestServices.GetRequiredService<SessionCookie>());
        var watch = new StayWatch(async () => await sessions.FindAsync(cookie.Read(http), ct) is not null, http.RequestServices.GetRequiredService<TimeProvider>());
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, life.ApplicationStopping);
        var frames = hub.FollowAsync(key, () => LookAsync(look), Period, either.Token).GetAsyncEnumerator(either.Token);
        await using (frames)
        {
            // The first one is whole, the others hold what changed.
            LiveFrame? sent = null;
            while (await NextAsync(frames, either.Token))
            {
                // A page may be open for days. What it is told ends with the session that it was opened in.
                if (!await watch.MayStayAsync())
                {
                    yield break;
                }

                var news = frames.Current.Since(sent);
                sent = frames.Current;
                if (!news.IsEmpty)
                {
                    yield return new SseItem<string>(JsonSerializer.Serialize(news, JsonSerializerOptions.Web)) { ReconnectionInterval = TimeSpan.FromSeconds(1) };
                }
            }
        }
    }

    private static async Task<bool> NextAsync(IAsyncEnumerator<LiveFrame> frames, CancellationToken ct)
    {
        try
        {
            return await frames.MoveNextAsync();
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return false;
        }
    }

    // A store that is away is told of on the page, and looked at again.
    private static async Task<LiveFrame> LookAsync(Func<Task<LiveFrame>> look)
    {
        try
        {
            var frame = await look();
            return frame with { Data = new Dictionary<string, string>(frame.Data, StringComparer.Ordinal) { ["trouble"] = "" } };
        }
        catch (Exception e) when (e is StoreException or StoredFormatException or RunNotFoundException)
        {
            return new LiveFrame(new Dictionary<string, string>(StringComparer.Ordinal), new Dictionary<string, string>(StringComparer.Ordinal) { ["trouble"] = e.Message });
        }
    }
}
