using System.Net;
using Godwit.Fixtures;
using Godwit.Metadata.Accounts;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>How two tables differ, for programs.</summary>
public sealed class ComparisonTests(RealEngine engine) : IAsyncLifetime
{
    private ServerFixture _server = null!;
    private string _table = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await ServerFixture.StartAsync(engine.Engine, new ServerSetup { RunsWorker = false });
        _table = await TableOfEvents.MakeAsync(engine.Engine);
        using var gateway = engine.Engine.Gateway();
        await gateway.ExecuteAsync($"CREATE TABLE {_table}2 AS {_table}", ct: Ct);
        await gateway.ExecuteAsync($"INSERT INTO {_table}2 SELECT * FROM {_table} WHERE team NOT IN (7, 11) OR id % 2 = 0 AND team = 11", ct: Ct);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Two_tables_are_compared_by_whoever_may_look()
    {
        using var api = await ApiCaller.OfAsync(_server, Role.Viewer);

        var found = (await api.GetAsync($"/tables/comparison?a={_table}&b={_table}2&by=team&by=text&limit=1")).ShouldBe(HttpStatusCode.OK);

        (found["a"], found["b"], found["isSame"], found["where"]).ShouldBe((_table, $"{_table}2", "false", null));
        var rows = found.Json.GetProperty("rows");
        (rows.GetProperty("a").GetInt64(), rows.GetProperty("b").GetInt64(), rows.GetProperty("difference").GetInt64()).ShouldBe((40_000, 39_200, -800));
        found.Json.GetProperty("ids").GetProperty("unique").GetProperty("b").GetInt64().ShouldBe(39_200);
        found.Json.GetProperty("last").GetProperty("a").GetString().ShouldBe("2026-01-30");
        var cuts = found.Json.GetProperty("cuts");
        cuts.EnumerateArray().Select(c => c.GetProperty("kind").GetString()).ShouldBe(["Partition", "Day", "Column", "Column"]);
        var teams = cuts[2];
        (teams.GetProperty("differing").GetInt64(), teams.GetProperty("more").GetInt64()).ShouldBe((2, 1));
        teams.GetProperty("rows")[0].GetRawText().ShouldBe("""{"key":"11","a":400,"b":0,"difference":-400}""");
        found["summary"]!.ShouldStartWith($"{_table}2 has 800 rows fewer than {_table} ");
        (await api.GetAsync($"/tables/comparison?a={Uri.EscapeDataString($"{_table.Split('.')[0]}./^events$/")}&b={_table}")).ShouldBe(HttpStatusCode.OK)["isSame"].ShouldBe("true");
    }

    [Fact]
    public async Task What_cannot_be_compared_is_refused_with_all_that_is_wrong()
    {
        using var api = await ApiCaller.OfAsync(_server, Role.Operator);
        async Task<Answer> AskAsync(string query) => await api.GetAsync($"/tables/comparison?{query}");

        (await AskAsync("a=x&b=y")).ShouldRefuse(HttpStatusCode.BadRequest, "names no database").Json.GetProperty("problems").GetArrayLength().ShouldBe(2);
        (await AskAsync($"a={_table}")).ShouldRefuse(HttpStatusCode.BadRequest, "is not a table's name");
        (await AskAsync($"a={_table}&b={_table}3")).ShouldRefuse(HttpStatusCode.BadRequest, $"There is no table {_table}3 on ");
        (await AskAsync($"a={_table}&b={_table}&by=nosuch")).ShouldRefuse(HttpStatusCode.BadRequest, "the columns that both have are id, team, day, text.");
        (await AskAsync($"a={_table}&b={_table}&limit=0")).ShouldRefuse(HttpStatusCode.BadRequest, "limit: '0' is not a whole number from 1 to 1000.");
        (await AskAsync($"a={_table}&b={_table}&{string.Join('&', Enumerable.Repeat("by=id", 11))}")).ShouldRefuse(HttpStatusCode.BadRequest, "11 columns are too many");
        foreach (var where in new[] { "", "id = 1) UNION ALL SELECT (1", "id IN (SELECT id FROM system.one)", "nosuch = 1", "id; DROP TABLE x" })
        {
            (await AskAsync($"a={_table}&b={_table}&where={Uri.EscapeDataString(where)}")).ShouldBe(HttpStatusCode.BadRequest);
        }
    }

    [Fact]
    public async Task A_condition_is_for_operators()
    {
        using var viewer = await ApiCaller.OfAsync(_server, Role.Viewer);
        using var @operator = await ApiCaller.OfAsync(_server, Role.Operator);
        var path = $"/tables/comparison?a={_table}&b={_table}2&where={Uri.EscapeDataString("team > 11")}";

        (await viewer.GetAsync(path)).ShouldRefuse(HttpStatusCode.Forbidden, "it takes the role Operator");
        (await @operator.GetAsync(path)).ShouldBe(HttpStatusCode.OK)["isSame"].ShouldBe("true");
    }

    [Fact]
    public async Task Who_hangs_up_ends_it_on_the_server()
    {
        using var gateway = engine.Engine.Gateway();
        var view = $"{_table.Split('.')[0]}.endless";
        await gateway.ExecuteAsync($"CREATE VIEW {view} AS SELECT number AS id FROM system.numbers", ct: Ct);
        using var api = await ApiCaller.OfAsync(_server, Role.Viewer);
        using var hung = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        async Task<bool> IsRunningAsync() => await gateway.ScalarAsync<long>($"SELECT count() FROM system.processes WHERE startsWith(query_id, 'godwit-look-') AND query LIKE '%endless%'", ct: Ct) > 0;

        var call = api.Http.GetAsync(new Uri($"/api/v1/tables/comparison?a={view}&b={view}", UriKind.Relative), hung.Token);
        await Wait.UntilAsync(IsRunningAsync, Ct);
        await hung.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(call);
        await Wait.UntilAsync(async () => !await IsRunningAsync(), Ct);
    }
}
