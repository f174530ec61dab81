using Godwit.ClickHouse;
using Godwit.Fixtures;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.ClickHouse;

/// <summary>One server of 2018 for all tests of the class.</summary>
public sealed class OldServer : IAsyncLifetime
{
    private readonly OldServerFixture _server = new();

    public OldServerFixture Fixture => _server;

    public Uri Url => _server.Url;

    public async ValueTask InitializeAsync() => await _server.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}

public sealed class OldServerGatewayTests(OldServer server) : GatewayContract, IClassFixture<OldServer>
{
    protected override Uri Url => server.Url;

    protected override string CreateDatabase => "CREATE DATABASE {0}";

    [Fact]
    public async Task The_old_server_has_few_capabilities()
    {
        var found = await Capabilities.ProbeAsync(Gateway, Ct);
        found.ShouldBe(new Capabilities
        {
            Version = new ServerVersion(18, 16, 1),
            Timezone = "Europe/Berlin",
            HasMutations = true,
            HasProcessesCancelled = true,
            HasInsertAllowMaterializedColumns = true,
            MaxMemoryUsage = found.MaxMemoryUsage,
        });
    }

    [Fact]
    public async Task A_password_of_special_characters_logs_in()
    {
        var options = new ClickHouseOptions
        {
            Url = Url,
            User = OldServerFixture.GuardedUser,
            Password = new Secret(OldServerFixture.GuardedPassword),
        };
        using var guarded = new ClickHouseGateway(options);
        var user = await guarded.ScalarAsync<string>(
            "SELECT user FROM system.processes WHERE query_id = 'whoami'", new QueryOptions { QueryId = "whoami" }, Ct);
        user.ShouldBe(OldServerFixture.GuardedUser);

        using var wrong = new ClickHouseGateway(options with { Password = new Secret("wrong") });
        var e = await Should.ThrowAsync<ClickHouseException>(() => wrong.QueryAsync("SELECT 1", ct: Ct));
        e.Code.ShouldBe(ClickHouseErrorCodes.WrongPassword);
        e.CodeName.ShouldBe("WRONG_PASSWORD");
    }

    [Fact]
    public async Task A_moment_without_a_zone_is_refused_because_the_server_does_not_tell_its_own()
    {
        var row = (await Gateway.QueryAsync("SELECT now() AS x", ct: Ct))[0];
        Should.Throw<InvalidOperationException>(() => row.Utc("x")).Message.ShouldContain("toUnixTimestamp");
    }

    [Fact]
    public async Task A_server_that_dies_while_it_answers_leaves_an_unknown_outcome()
    {
        await using var doomed = new OldServerFixture();
        await doomed.StartAsync();
        using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = doomed.Url });
        var e = await Should.ThrowAsync<ClickHouseUnreachableException>(async () =>
        {
            await foreach (var row in gateway.StreamAsync("SELECT number FROM system.numbers", ct: Ct))
            {
                if (row.Int64("number") == 1000)
                {
                    doomed.Kill();
                }
            }
        });
        e.MayHaveRun.ShouldBeTrue();
        e.Message.ShouldContain("broke off in the middle");

        var gone = await Should.ThrowAsync<ClickHouseUnreachableException>(() => gateway.ExecuteAsync("SELECT 1", ct: Ct));
        gone.MayHaveRun.ShouldBeFalse();
        gone.IsTransient.ShouldBeTrue();
        gone.Message.ShouldContain("cannot be reached");
    }
}
