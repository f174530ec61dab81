using Godwit.Server.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Godwit.Server.Live;

/// <summary>An event of a stream.</summary>
/// <param name="Type">Which kind of event.</param>
/// <param name="Id">Its id, by which a client says what it has seen last.</param>
/// <param name="Data">One line of JSON.</param>
internal sealed record StreamEvent(string Type, string Id, string Data);

/// <summary>
/// Server-sent events for programs. While nothing happens a comment is sent now and then, so that no proxy takes the connection for a dead one; the
/// stream ends when there is nothing more to tell, when its listener may not listen any more, and when the server ends.
/// </summary>
internal sealed class EventStream(Func<CancellationToken, IAsyncEnumerable<StreamEvent>> listen, Func<Task<bool>> mayStay) : IResult
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var life = httpContext.RequestServices.GetRequiredService<IHostApplicationLifetime>();
        var clock = httpContext.RequestServices.GetRequiredService<TimeProvider>();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, life.ApplicationStopping);
        httpContext.Response.ContentType = "text/event-stream";

        // For as long as somebody listens is not how long a request takes.
        httpContext.Features.Get<IHttpMetricsTagsFeature>()?.MetricsDisabled = true;
        httpContext.Response.Headers["X-Accel-Buffering"] = "no";
        try
        {
            await httpContext.Response.WriteAsync("retry: 1000\n\n", end.Token);
            await httpContext.Response.Body.FlushAsync(end.Token);
            await SendAsync(httpContext.Response, clock, end);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The listener, or the server, has gone.
        }
    }

    private async Task SendAsync(HttpResponse response, TimeProvider clock, CancellationTokenSource end)
    {
        await using var events = listen(end.Token).GetAsyncEnumerator(end.Token);
        var watch = new StayWatch(mayStay, clock);
        var next = events.MoveNextAsync().AsTask();
        try
        {
            while (true)
            {
                var isSilent = await Task.WhenAny(next, Task.Delay(Heartbeat, clock, end.Token)) != next;
                if (end.IsCancellationRequested || !await watch.MayStayAsync())
                {
                    return;
                }

                if (isSilent)
                {
                    await response.WriteAsync(":\n\n", end.Token);
                }
                else if (await next)
                {
                    var (type, id, data) = events.Current;
                    await response.WriteAsync($"event: {type}\nid: {id}\ndata: {data}\n\n", end.Token);
                    next = events.MoveNextAsync().AsTask();
                }
                else
                {
                    return;
                }

                await response.Body.FlushAsync(end.Token);
            }
        }
        finally
        {
            // What is still waited for must have ended before it is let go of.
            await end.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
