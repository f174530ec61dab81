using System.Net;
using Godwit.Metadata.Accounts;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests;

public class ServerFixtureTests(RealEngine engine)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_says_where_the_first_admin_is_made_and_lets_a_token_in()
    {
        await using var server = await ServerFixture.StartAsync(engine.Engine);
        server.Said.ShouldContain(s => s.Contains("/setup?code=", StringComparison.Ordinal));

        using var nobody = server.Client();
        (await nobody.GetAsync(new Uri("/api/v1/runs/nosuch", UriKind.Relative), Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var viewer = await server.ClientAsync(Role.Viewer);
        (await viewer.GetAsync(new Uri("/api/v1/runs/nosuch", UriKind.Relative), Ct)).StatusCode.ShouldNotBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Servers_on_one_state_know_the_same_tokens()
    {
        await using var first = await ServerFixture.StartAsync(engine.Engine, new ServerSetup { RunsWorker = false });
        await using var second = await ServerFixture.StartAsync(engine.Engine, new ServerSetup { RunsWorker = false, State = first.State });

        using var viewer = second.Client(await first.TokenAsync(Role.Viewer));
        (await viewer.GetAsync(new Uri("/api/v1/runs/nosuch", UriKind.Relative), Ct)).StatusCode.ShouldNotBe(HttpStatusCode.Unauthorized);
    }
}
