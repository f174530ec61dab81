using System.Net;
using Godwit.Metadata.Accounts;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>Lists come in pages.</summary>
public sealed class PagingTests(RealEngine engine) : ApiTests(engine, Role.Admin, runsWorker: false)
{
    [Fact]
    public async Task Every_run_is_on_one_page_although_others_are_made_meanwhile()
    {
        List<string> made = [];
        for (var i = 0; i < 5; i++)
        {
            made.Add(await RunAsync());
        }

        var first = await Api.GetAsync("/runs?limit=2");
        first.Items.Select(IdOf).ShouldBe([made[4], made[3]]);
        await RunAsync();
        var second = await Api.GetAsync($"/runs?limit=2&cursor={first["next"]}");
        second.Items.Select(IdOf).ShouldBe([made[2], made[1]]);
        await RunAsync();
        var last = await Api.GetAsync($"/runs?limit=2&cursor={second["next"]}");
        last.Items.Select(IdOf).ShouldBe([made[0]]);
        last["next"].ShouldBeNull();
        (await Api.AllAsync("/runs", 1)).Count.ShouldBe(7);
        (await Api.GetAsync("/runs?limit=7"))["next"].ShouldBeNull();
    }

    [Fact]
    public async Task Entries_of_the_audit_trail_are_read_from_the_newest_to_the_oldest()
    {
        for (var i = 1; i <= 7; i++)
        {
            (await Api.PutAsync("/settings/maxConcurrentRuns", new { value = $"{i}" })).ShouldBe(HttpStatusCode.OK);
        }

        (await Api.AllAsync("/audit", 3)).Select(e => e.GetProperty("details").GetString()).ShouldBe(["7", "6", "5", "4", "3", "2", "1"]);
    }

    [Fact]
    public async Task What_comes_and_goes_moves_nobody_else()
    {
        foreach (var name in new[] { "bob", "cyd", "dan", "eve" })
        {
            (await Api.PostAsync("/users", new { name, role = "Viewer", password = ServerFixture.Password })).ShouldBe(HttpStatusCode.Created);
            (await Api.PostAsync("/tokens", new { user = name, name, role = "Viewer", days = 1 })).ShouldBe(HttpStatusCode.Created);
        }

        var users = await Api.GetAsync("/users?limit=2");
        users.Items.Select(NameOf).ShouldBe(["admin", "bob"]);
        var tokens = await Api.GetAsync("/tokens?limit=2");
        tokens.Items.Select(NameOf).ShouldBe(["eve", "dan"]);
        (await Api.DeleteAsync("/users/bob")).ShouldBe(HttpStatusCode.NoContent);
        (await Api.DeleteAsync($"/tokens/{tokens.Items[1].GetProperty("id").GetString()}")).ShouldBe(HttpStatusCode.NoContent);
        (await Api.PostAsync("/users", new { name = "ada", role = "Viewer", password = ServerFixture.Password })).ShouldBe(HttpStatusCode.Created);

        (await Api.GetAsync($"/users?limit=2&cursor={users["next"]}")).Items.Select(NameOf).ShouldBe(["cyd", "dan"]);
        (await Api.GetAsync($"/tokens?limit=1&cursor={tokens["next"]}")).Items.Select(NameOf).ShouldBe(["cyd"]);
        (await Api.AllAsync("/settings", 4)).Count.ShouldBe(Workers.WorkerSettings.Definitions.Count);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("!")]
    [InlineData("%00")]
    [InlineData("MSBydW5zIA")]
    [InlineData("////")]
    public async Task A_cursor_of_another_list_or_of_nobodys_is_refused(string cursor)
    {
        foreach (var list in new[] { "/audit", "/users", "/settings", "/migrations" })
        {
            (await Api.GetAsync($"{list}?cursor={cursor}")).ShouldRefuse(HttpStatusCode.BadRequest, "cursor");
        }
    }

    private static string? IdOf(System.Text.Json.JsonElement run) => run.GetProperty("runId").GetString();

    private static string? NameOf(System.Text.Json.JsonElement item) => item.GetProperty("name").GetString();

    private async Task<string> RunAsync() => (await Api.PostAsync("/runs", new { rebuild = new { table = await TableOfEvents.MakeAsync(Engine), orderBy = "(team, id)" } })).ShouldBe(HttpStatusCode.Created)["runId"]!;
}
