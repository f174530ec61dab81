using System.Net;
using System.Text.Json;
using Godwit.Metadata.Accounts;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>Whole jobs, as a program does them.</summary>
public sealed class ConversationTests(RealEngine engine) : ApiTests(engine, Role.Operator, runsWorker: true)
{
    [Fact]
    public async Task A_rebuild_is_proposed_made_followed_to_its_end_and_rolled_back()
    {
        var table = await TableOfEvents.MakeAsync(Engine);
        var rebuild = new { table, orderBy = "(team, id)" };

        var diagnosis = (await Api.GetAsync($"/tables/doctor?table={table}")).ShouldBe(HttpStatusCode.OK);
        diagnosis["isOk"].ShouldBe("true");
        var proposal = (await Api.PostAsync("/rebuilds/plan", new { rebuild }, key: null)).ShouldBe(HttpStatusCode.OK);
        proposal["isRefused"].ShouldBe("false");
        proposal.Json.GetProperty("plan").GetProperty("steps").GetArrayLength().ShouldBeGreaterThan(4);
        (await Api.GetAsync("/runs")).Items.ShouldBeEmpty();

        var made = (await Api.PostAsync("/runs", new { rebuild, options = new { rollbackWindow = "PT1H" }, start = true })).ShouldBe(HttpStatusCode.Created);
        var run = made["runId"]!;
        made.Headers.Location!.ToString().ShouldBe($"/api/v1/runs/{run}");
        var events = await EventReader.ReadToEndAsync(Api.Http, $"/runs/{run}/events");

        events.ShouldAllBe(e => e.Type == "status" || e.Type == "end");
        events[^1].Type.ShouldBe("end");
        events.Select(e => e.Id).Distinct().Count().ShouldBe(events.Count);
        var last = JsonDocument.Parse(events[^2].Data).RootElement;
        last.GetProperty("state").GetString().ShouldBe("Completed");
        last.TryGetProperty("steps", out _).ShouldBeFalse();
        (await TableOfEvents.SortingKeyAsync(Engine, table)).ShouldBe("team, id");

        await ShouldTellOfAsync(run);

        (await Api.GetAsync($"/runs/{run}/actions")).Text.ShouldBe("""["Rollback","CleanUp"]""");
        var undone = (await Api.PostAsync($"/runs/{run}/rollback")).ShouldBe(HttpStatusCode.Accepted);
        undone["runId"].ShouldBe(run);
        await EventReader.ReadToEndAsync(Api.Http, $"/runs/{run}/events");
        (await Api.GetAsync($"/runs/{run}"))["state"].ShouldBe("RolledBack");
        (await TableOfEvents.SortingKeyAsync(Engine, table)).ShouldBe("id");
        var audit = await Api.AllAsync("/audit");
        audit.Select(e => e.GetProperty("action").GetString()).ShouldBe(["rollback", "start", "plan"]);
        audit.ShouldAllBe(e => e.GetProperty("who").GetString()!.StartsWith("operator (token test ", StringComparison.Ordinal) && e.GetProperty("from").GetString() == "127.0.0.1");
    }

    [Fact]
    public async Task A_run_that_awaits_its_cutover_is_paused_limited_resumed_cut_over_and_cleaned_up()
    {
        var table = await TableOfEvents.MakeAsync(Engine);
        var made = (await Api.PostAsync("/runs", new { rebuild = new { table, orderBy = "(team, id)" }, options = new { deferCutover = true } })).ShouldBe(HttpStatusCode.Created);
        var run = made["runId"]!;
        made["state"].ShouldBe("NotStarted");
        made["isQueued"].ShouldBe("false");

        var tooEarly = await Api.PostAsync($"/runs/{run}/cutover");
        tooEarly.ShouldRefuse(HttpStatusCode.Conflict, $"Run {run} is NotStarted, so it cannot be cut over; only a run that is AwaitingCutover can.");
        var limited = (await Api.PutAsync($"/runs/{run}/limit", new { rowsPerSecond = 1_000_000 })).ShouldBe(HttpStatusCode.OK);
        limited["maxRowsPerSecond"].ShouldBe("1000000");
        (await Api.PostAsync($"/runs/{run}/start")).ShouldBe(HttpStatusCode.Accepted);
        await StateAsync(run, "AwaitingCutover");
        var another = await TableOfEvents.MakeAsync(Engine);
        (await Api.PostAsync("/runs", new { rebuild = new { table = another, orderBy = "(team, id)" } })).ShouldRefuse(HttpStatusCode.Conflict, run);
        (await Api.PostAsync($"/runs/{run}/pause")).ShouldBe(HttpStatusCode.Accepted);
        await StateAsync(run, "Paused");
        (await Api.PutAsync($"/runs/{run}/limit", new { rowsPerSecond = (long?)null })).ShouldBe(HttpStatusCode.OK)["maxRowsPerSecond"].ShouldBeNull();
        (await Api.PostAsync($"/runs/{run}/resume")).ShouldBe(HttpStatusCode.Accepted);
        await StateAsync(run, "AwaitingCutover");
        (await Api.PostAsync($"/runs/{run}/cutover")).ShouldBe(HttpStatusCode.Accepted);
        await StateAsync(run, "Completed");
        (await Api.PostAsync($"/runs/{run}/cleanup")).ShouldBe(HttpStatusCode.Accepted);
        await Fixtures.Wait.UntilAsync(async () => (await Api.GetAsync($"/runs/{run}"))["cleanedUp"] == "true", Ct);

        (await Api.PostAsync($"/runs/{run}/cleanup")).ShouldRefuse(HttpStatusCode.Conflict, "was cleaned up before");
        (await Api.PostAsync($"/runs/{run}/rollback")).ShouldRefuse(HttpStatusCode.Conflict, "there is no way back any more");
        (await Api.PutAsync($"/runs/{run}/limit", new { rowsPerSecond = 5 })).ShouldRefuse(HttpStatusCode.Conflict, "there is nothing left to slow down");
    }

    [Fact]
    public async Task A_rebuild_that_a_check_refuses_is_not_made_and_every_check_is_told()
    {
        var table = await TableOfEvents.MakeAsync(Engine);
        using var gateway = Engine.Gateway();
        await gateway.ExecuteAsync($"CREATE TABLE {table}_2 (id UInt64) ENGINE = Log", ct: Ct);

        var refused = await Api.PostAsync("/runs", new { rebuild = new { table = $"{table}_2", orderBy = "id" } });
        refused.ShouldRefuse(HttpStatusCode.Conflict, "Log");
        refused.Json.GetProperty("checks")[0].GetProperty("verdict").GetString().ShouldBe("Refused");
        (await Api.PostAsync("/rebuilds/plan", new { rebuild = new { table = $"{table}_2", orderBy = "id" } }, key: null)).ShouldBe(HttpStatusCode.OK)["isRefused"].ShouldBe("true");
        (await Api.PostAsync("/runs", new { rebuild = new { table, orderBy = "id" } })).ShouldRefuse(HttpStatusCode.Conflict, "is already as you want it");
        (await Api.GetAsync("/runs")).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task Everything_that_is_wrong_with_a_request_is_told_at_once()
    {
        var wrong = await Api.PostAsync("/runs", """
            { "rebuild": { "table": "events", "orderBy": 5, "colour": "red", "addColumns": "x", "strategy": null }, "options": { "rollbackWindow": "1 day", "threads": 1.5 }, "start": "yes", "when": 1 }
            """);
        wrong.ShouldRefuse(HttpStatusCode.BadRequest, "There is no field when; there are migration, rebuild, options, start.");
        var problems = string.Join('\n', wrong.Json.GetProperty("problems").EnumerateArray().Select(p => p.GetString()));
        problems.ShouldContain("rebuild.table: 'events' names no database");
        problems.ShouldContain("rebuild.orderBy must be a text.");
        problems.ShouldContain("There is no field rebuild.colour; there are ");
        problems.ShouldContain("rebuild.addColumns must be a list of texts.");
        problems.ShouldContain("rebuild.strategy must not be null; leave it out for its default.");
        problems.ShouldContain("options.rollbackWindow: '1 day' is not a length of time");
        problems.ShouldContain("options.threads must be a whole number.");
        problems.ShouldContain("start must be true or false.");

        var meant = await Api.PostAsync("/runs", new { rebuild = new { table = "a.b", strategy = "magic" }, options = new { threads = 0 } });
        meant.ShouldRefuse(HttpStatusCode.BadRequest, "--strategy magic does not exist");
        meant.Json.GetProperty("problems").GetArrayLength().ShouldBe(3);
        (await Api.PostAsync("/runs", new { rebuild = new { orderBy = "id" } })).ShouldRefuse(HttpStatusCode.BadRequest, "rebuild.table must be given.");
        (await Api.PostAsync("/runs", new { start = true })).ShouldRefuse(HttpStatusCode.BadRequest, "migration or rebuild, and not both");
        (await Api.PutAsync("/runs/nosuch22/limit", new { })).ShouldRefuse(HttpStatusCode.BadRequest, "rowsPerSecond must be given.");
        (await Api.SendAsync(HttpMethod.Post, "/runs?force=true&start=1", new { }, null)).Json.GetProperty("problems").GetArrayLength().ShouldBe(3);
        (await Api.GetAsync("/runs?limit=0&state=Broken&limit=7&x=")).Json.GetProperty("problems").GetArrayLength().ShouldBe(3);
    }

    [Fact]
    public async Task A_run_is_called_by_its_whole_id()
    {
        var table = await TableOfEvents.MakeAsync(Engine);
        var run = (await Api.PostAsync("/runs", new { rebuild = new { table, orderBy = "(team, id)" } })).ShouldBe(HttpStatusCode.Created)["runId"]!;

        (await Api.GetAsync($"/runs/{run}")).ShouldBe(HttpStatusCode.OK);
        (await Api.GetAsync($"/runs/{run[..7]}")).ShouldRefuse(HttpStatusCode.NotFound, $"There is no run {run[..7]} ");
        foreach (var part in new[] { "/steps", "/plan", "/journal", "/errors", "/samples", "/actions", "/events" })
        {
            (await Api.GetAsync($"/runs/{run[..7]}{part}")).ShouldRefuse(HttpStatusCode.NotFound, $"There is no run {run[..7]} ");
        }

        foreach (var action in new[] { "start", "pause", "resume", "stop", "cutover", "rollback", "cleanup" })
        {
            (await Api.PostAsync($"/runs/{run[..7]}/{action}")).ShouldRefuse(HttpStatusCode.NotFound, $"There is no run {run[..7]} ");
        }
    }

    private async Task ShouldTellOfAsync(string run)
    {
        var steps = await Api.AllAsync($"/runs/{run}/steps", 3);
        steps.Select(s => s.GetProperty("index").GetInt32()).ShouldBe(Enumerable.Range(0, steps.Count));
        steps.ShouldAllBe(s => s.GetProperty("state").GetString() == "Done");
        (await Api.GetAsync($"/runs/{run}/plan")).Json.GetProperty("steps").GetArrayLength().ShouldBe(steps.Count);
        var journal = await Api.AllAsync($"/runs/{run}/journal", 7);
        journal.Count.ShouldBeGreaterThan(7);
        journal.Select(e => e.GetProperty("sequence").GetInt32()).ShouldBe(Enumerable.Range(1, journal.Count));
        journal.ShouldContain(e => e.GetProperty("payload").ValueKind == JsonValueKind.Object);
        (await Api.AllAsync($"/runs/{run}/errors")).ShouldBeEmpty();
        (await Api.AllAsync($"/runs/{run}/samples", 1)).Count.ShouldBe((await Server.Migrator.SamplesAsync(run, ct: Ct)).Count);
        (await Api.AllAsync("/runs?state=Completed&migration=rebuild")).Single().GetProperty("runId").GetString().ShouldBe(run);
        (await Api.AllAsync("/runs?state=Running&state=Failed")).ShouldBeEmpty();
    }

    private Task StateAsync(string run, string state) => Fixtures.Wait.UntilAsync(async () => (await Api.GetAsync($"/runs/{run}"))["state"] == state, Ct, $"{run} is {state}");
}
