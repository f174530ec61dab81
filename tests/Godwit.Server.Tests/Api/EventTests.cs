using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Godwit.Fixtures;
using Godwit.Metadata.Accounts;
using Godwit.Server.Live;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>Streams of events.</summary>
public sealed class EventTests(RealEngine engine) : ApiTests(engine, Role.Operator, runsWorker: true)
{
    [Fact]
    public async Task Who_listens_to_all_runs_is_told_of_those_that_are_made_and_of_their_ends()
    {
        var old = await RunAsync(false);
        List<(string Run, string State)> seen = [];
        var run = "";
        await foreach (var told in EventReader.FollowAsync(Api.Http, "/events"))
        {
            told.Type.ShouldBe("status");
            var status = JsonDocument.Parse(told.Data).RootElement;
            seen.Add((status.GetProperty("runId").GetString()!, status.GetProperty("state").GetString()!));
            run = run.Length == 0 ? await RunAsync(true) : run;
            if (seen.Contains((run, "Completed")))
            {
                break;
            }
        }

        seen[0].ShouldBe((old, "NotStarted"));
        seen.Count(s => s.Run == old).ShouldBe(1);

        // Whoever begins to listen now hears nothing of what is at its end already.
        await foreach (var told in EventReader.FollowAsync(Api.Http, "/events"))
        {
            JsonDocument.Parse(told.Data).RootElement.GetProperty("runId").GetString().ShouldBe(old);
            break;
        }
    }

    [Fact]
    public async Task A_client_that_comes_back_is_not_told_again_what_it_has_seen()
    {
        var run = await RunAsync(true);
        var first = await EventReader.ReadToEndAsync(Api.Http, $"/runs/{run}/events");

        (await EventReader.ReadToEndAsync(Api.Http, $"/runs/{run}/events")).Select(e => e.Type).ShouldBe(["status", "end"]);
        (await EventReader.ReadToEndAsync(Api.Http, $"/runs/{run}/events", first[^2].Id)).Select(e => e.Type).ShouldBe(["end"]);
    }

    [Fact]
    public async Task Streams_end_with_theServer()
    {
        await using var server = await ServerFixture.StartAsync(Engine, new ServerSetup { RunsWorker = false, State = Server.State });
        using var api = new ApiCaller(server.Client(await Server.TokenAsync(Role.Viewer)));
        var run = await RunAsync(false);
        var one = Listening(api.Http, $"/runs/{run}/events");
        var all = Listening(api.Http, "/events");
        await Task.WhenAll(one.Heard, all.Heard);

        await server.DisposeAsync();

        (await one.Later).ShouldBeEmpty();
        (await all.Later).ShouldBeEmpty();
    }

    [Fact]
    public async Task However_many_listen_one_reader_looks()
    {
        var looks = 0;
        var hub = new LiveHub<string>(TimeProvider.System);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        async Task<int> ListenAsync()
        {
            var heard = 0;
            await foreach (var _ in hub.FollowAsync("it", () => Task.FromResult($"{Interlocked.Increment(ref looks)}"), TimeSpan.FromMilliseconds(20), end.Token))
            {
                if (++heard == 5)
                {
                    break;
                }
            }

            return heard;
        }

        (await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => ListenAsync()))).ShouldAllBe(heard => heard == 5);
        looks.ShouldBeLessThan(40);

        // Nobody listens: nobody looks.
        await Wait.UntilAsync(async () =>
        {
            var before = looks;
            await Task.Delay(100, Ct);
            return looks == before;
        }, Ct);
    }

    [Fact]
    public async Task While_nothing_happens_a_comment_keeps_the_connection_and_who_may_not_listen_any_more_is_let_go()
    {
        var asked = 0;
        using var body = new MemoryStream();

        await new EventStream(SilenceAsync, () => Task.FromResult(++asked < 3)).ExecuteAsync(Http(new HastyClock(), body));

        Encoding.UTF8.GetString(body.ToArray()).ShouldBe("retry: 1000\n\n:\n\n:\n\n");
    }

    [Fact]
    public async Task Who_may_not_listen_any_more_is_let_go_in_the_midst_of_news_too()
    {
        var (asked, clock) = (0, new ManualClock());
        using var body = new MemoryStream();

        await new EventStream(NewsAsync, () => Task.FromResult(++asked < 2)).ExecuteAsync(Http(clock, body));

        Encoding.UTF8.GetString(body.ToArray()).Split("id: ").Skip(1).Select(e => e[0]).ShouldBe(['1', '2', '3']);

        // Something happens every three seconds, so that there is never a silence in which to look.
        async IAsyncEnumerable<StreamEvent> NewsAsync([EnumeratorCancellation] CancellationToken ct)
        {
            for (var i = 1; i < 10; i++)
            {
                await Task.Yield();
                clock.Advance(TimeSpan.FromSeconds(3));
                yield return new StreamEvent("status", $"{i}", "{}");
            }
        }
    }

    private static DefaultHttpContext Http(TimeProvider clock, Stream body) => new()
    {
        RequestServices = new ServiceCollection().AddSingleton<IHostApplicationLifetime>(new Life()).AddSingleton(clock).BuildServiceProvider(),
        Response = { Body = body },
    };

    private static async IAsyncEnumerable<StreamEvent> SilenceAsync([EnumeratorCancellation] CancellationToken ct)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, ct);
        yield break;
    }

    private static (Task Heard, Task<List<SeenEvent>> Later) Listening(HttpClient client, string path)
    {
        var heard = new TaskCompletionSource();
        return (heard.Task, RestAsync());

        async Task<List<SeenEvent>> RestAsync()
        {
            List<SeenEvent> rest = [];
            await foreach (var one in EventReader.FollowAsync(client, path))
            {
                if (!heard.TrySetResult())
                {
                    rest.Add(one);
                }
            }

            return rest;
        }
    }

    private async Task<string> RunAsync(bool start) =>
        (await Api.PostAsync("/runs", new { rebuild = new { table = await TableOfEvents.MakeAsync(Engine), orderBy = "(team, id)" }, start })).ShouldBe(System.Net.HttpStatusCode.Created)["runId"]!;

    private sealed class Life : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication()
        {
        }
    }

    /// <summary>Every wait is over at once, and the time has passed.</summary>
    private sealed class HastyClock : TimeProvider
    {
        private DateTimeOffset _now = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => _now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _now += dueTime;
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
