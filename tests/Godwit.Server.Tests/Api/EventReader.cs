using System.Net;
using System.Net.ServerSentEvents;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>An event as a client sees it.</summary>
internal sealed record SeenEvent(string Type, string? Id, string Data);

/// <summary>Listens to a stream.</summary>
internal static class EventReader
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>All events until the server ends the stream.</summary>
    public static async Task<IReadOnlyList<SeenEvent>> ReadToEndAsync(HttpClient client, string path, string? lastSeen = null)
    {
        List<SeenEvent> seen = [];
        await foreach (var one in FollowAsync(client, path, lastSeen))
        {
            seen.Add(one);
        }

        return seen;
    }

    /// <summary>The events as they come.</summary>
    public static async IAsyncEnumerable<SeenEvent> FollowAsync(HttpClient client, string path, string? lastSeen = null)
    {
        using var request = ApiCaller.Request(HttpMethod.Get, path, null, null);
        if (lastSeen is not null)
        {
            request.Headers.Add("Last-Event-ID", lastSeen);
        }

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        var parser = SseParser.Create(await response.Content.ReadAsStreamAsync(Ct));
        await foreach (var item in parser.EnumerateAsync(Ct))
        {
            yield return new SeenEvent(item.EventType, item.EventId, item.Data);
        }
    }
}
