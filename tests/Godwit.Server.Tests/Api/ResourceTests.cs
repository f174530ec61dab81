using System.Net;
using Godwit.Metadata.Accounts;
using Godwit.Migrations;
using Godwit.Operations;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>Migrations, settings, users, and what concerns the instance.</summary>
public sealed class ResourceTests(RealEngine engine) : IAsyncLifetime
{
    private ServerFixture _server = null!;
    private ApiCaller _api = null!;
    private string _database = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await engine.Engine.NewDatabaseAsync();
        _server = await ServerFixture.StartAsync(engine.Engine, new ServerSetup { Migrations = new MigrationSet([new MakeTable(_database), new FillTable(_database)]), AppVersion = "1.2.0" });
        _api = await ApiCaller.OfAsync(_server, Role.Admin);
    }

    public async ValueTask DisposeAsync()
    {
        _api.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Migrations_are_listed_described_planned_run_and_found_in_their_history()
    {
        var list = (await _api.GetAsync("/migrations")).Items;
        list.Select(m => m.GetProperty("name").GetString()).ShouldBe(["0001_table", "0002_rows"]);
        list[1].GetProperty("waitsFor")[0].GetString().ShouldBe("0001_table");
        var one = await _api.GetAsync("/migrations/0002_rows");
        var definition = one.Json.GetProperty("definition");
        definition.GetProperty("parameters")[0].GetProperty("name").GetString().ShouldBe("rows");
        definition.GetProperty("parameters")[0].GetProperty("type").GetString().ShouldBe("Integer");
        definition.GetProperty("checks")[0].GetProperty("scope").GetString().ShouldBe("Precheck");
        definition.GetProperty("healthcheckInterval").GetString().ShouldBe("PT30S");

        (await _api.PostAsync("/migrations/0002_rows/plan", new { }, null)).ShouldBe(HttpStatusCode.OK)["isRefused"].ShouldBe("true");
        (await _api.PostAsync("/runs", new { migration = new { name = "0002_rows" } })).ShouldRefuse(HttpStatusCode.Conflict, "0001_table");
        await RunAsync(new { name = "0001_table" });
        (await _api.PostAsync("/migrations/0002_rows/plan", new { parameters = new { rows = "many", colour = "red" } }, null)).ShouldRefuse(HttpStatusCode.BadRequest, "There is no parameter colour; there are rows.")
            .Json.GetProperty("problems").GetArrayLength().ShouldBe(2);
        (await _api.PostAsync("/migrations/0002_rows/plan", new { parameters = new { rows = "7" } }, null)).ShouldBe(HttpStatusCode.OK).Json.GetProperty("plan").GetProperty("parameters").GetProperty("rows").GetString().ShouldBe("7");
        var run = await RunAsync(new { name = "0002_rows", parameters = new { rows = "7" } });

        (await _api.GetAsync("/migrations/0002_rows/runs")).Items.Single().GetProperty("runId").GetString().ShouldBe(run);
        using var gateway = engine.Engine.Gateway();
        (await gateway.ScalarAsync<long>($"SELECT count() FROM {_database}.t", ct: Ct)).ShouldBe(7);
        (await _api.PostAsync("/runs", new { migration = new { name = "0002_rows" } })).ShouldRefuse(HttpStatusCode.Conflict, $"was completed by run {run}");
        (await _api.PostAsync("/runs", new { migration = new { name = "0003" } })).ShouldRefuse(HttpStatusCode.BadRequest, "There is no migration 0003;");
        foreach (var path in new[] { "/migrations/0003", "/migrations/0003/runs", "/migrations/rebuild/runs" })
        {
            (await _api.GetAsync(path)).ShouldRefuse(HttpStatusCode.NotFound, "There is no migration ");
        }

        var first = (await _api.GetAsync("/migrations/0001_table/runs")).Items.Single().GetProperty("runId").GetString();
        (await _api.PostAsync($"/runs/{first}/rollback")).ShouldRefuse(HttpStatusCode.Conflict, "0002_rows depends on 0001_table");
        (await _api.PostAsync($"/runs/{first}/rollback?force=true")).ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task Tables_and_nodes_are_described_with_what_a_new_key_would_bring()
    {
        var table = await TableOfEvents.MakeAsync(engine.Engine);
        using var gateway = engine.Engine.Gateway();
        await gateway.ExecuteAsync($"CREATE TABLE {table.Replace(".events", ".`a/b c`", StringComparison.Ordinal)} (id UInt64) ENGINE = MergeTree ORDER BY id", ct: Ct);
        for (var i = 0; i < 3; i++)
        {
            await gateway.ExecuteAsync($"SELECT count() FROM {table} WHERE team = {i} FORMAT Null", ct: Ct);
        }

        await gateway.ExecuteAsync("SYSTEM FLUSH LOGS", ct: Ct);
        var node = (await _api.GetAsync("/nodes")).Items.Single();
        node.GetProperty("answers").GetBoolean().ShouldBeTrue();
        var database = table.Split('.')[0];
        (await _api.AllAsync($"/tables?search={database}", 1)).Select(t => t.GetProperty("table").GetString()).ShouldBe([$"{database}.\"a/b c\"", table]);
        (await _api.GetAsync($"/tables/detail?table={table}")).ShouldBe(HttpStatusCode.OK)["rows"].ShouldBe($"{TableOfEvents.Rows}");
        (await _api.GetAsync($"/tables/detail?table={Uri.EscapeDataString($"{database}.\"a/b c\"")}")).ShouldBe(HttpStatusCode.OK)["rows"].ShouldBe("0");
        (await _api.GetAsync($"/tables/detail?table={database}.nosuch")).ShouldRefuse(HttpStatusCode.NotFound, $"There is no table {database}.nosuch");
        (await _api.GetAsync("/tables/detail?table=nosuch")).ShouldRefuse(HttpStatusCode.BadRequest, "names no database");
        (await _api.GetAsync($"/tables/workload?table={table}&days=1")).ShouldBe(HttpStatusCode.OK).Json.GetProperty("queries")[0].GetProperty("count").GetInt64().ShouldBe(3);
        (await _api.GetAsync($"/tables/workload?table={table}&days=0")).ShouldRefuse(HttpStatusCode.BadRequest, "days: '0' is not a whole number from 1 to 365.");
        (await _api.GetAsync($"/tables/keys?table={table}&column=team&column=day")).ShouldBe(HttpStatusCode.OK).Json.GetProperty("columns").GetArrayLength().ShouldBe(3);
        (await _api.GetAsync($"/tables/suggestions?table={table}")).ShouldBe(HttpStatusCode.OK).Json.GetProperty("proposals")[0].GetProperty("orderBy").GetString()!.ShouldContain("team");
        var estimate = (await _api.PostAsync("/rebuilds/estimate", new { rebuild = new { table, orderBy = "(team, id)" } }, null)).ShouldBe(HttpStatusCode.OK);
        estimate["totalRows"].ShouldBe($"{TableOfEvents.Rows}");
        (await _api.PostAsync("/rebuilds/estimate", new { rebuild = new { table, orderBy = "(team, id)" }, days = 0 }, null)).ShouldRefuse(HttpStatusCode.BadRequest, "days");
    }

    [Fact]
    public async Task The_upgrade_waits_for_what_must_be_done_first()
    {
        (await _api.GetAsync("/upgrade?to=1.3.0"))["blocks"].ShouldBe("false");
        var gate = await _api.GetAsync("/upgrade?to=2.0.0");
        gate["blocks"].ShouldBe("true");
        gate.Json.GetProperty("reasons")[0].GetString()!.ShouldContain("0001_table must be done by 2.0.0");
        (await _api.GetAsync("/upgrade")).ShouldRefuse(HttpStatusCode.BadRequest, "?to=VERSION");
        (await _api.GetAsync("/upgrade?to=new")).ShouldRefuse(HttpStatusCode.BadRequest, "'new' is not a version");
    }

    [Fact]
    public async Task Settings_are_listed_changed_and_given_their_defaults_back()
    {
        var all = await _api.AllAsync("/settings");
        all.Select(s => s.GetProperty("name").GetString()).ShouldContain("timeWindows");
        (await _api.PutAsync("/settings/timeWindows", new { value = "22:00-06:00" })).ShouldBe(HttpStatusCode.OK)["isDefault"].ShouldBe("false");
        (await _api.GetAsync("/settings/timeWindows"))["value"].ShouldBe("22:00-06:00");
        (await _api.PutAsync("/settings/timeWindows", new { value = "tonight" })).ShouldRefuse(HttpStatusCode.BadRequest, "'tonight' is not a window of time");
        (await _api.DeleteAsync("/settings/timeWindows")).ShouldBe(HttpStatusCode.OK)["value"].ShouldBe("");
        (await _api.GetAsync("/settings/nosuch")).ShouldRefuse(HttpStatusCode.NotFound, "There is no setting nosuch; there are ");
        (await _api.PutAsync("/settings/nosuch", new { value = "1" })).ShouldRefuse(HttpStatusCode.NotFound, "There is no setting nosuch; there are ");
        (await _api.DeleteAsync("/settings/nosuch")).ShouldRefuse(HttpStatusCode.NotFound, "There is no setting nosuch; there are ");
    }

    [Fact]
    public async Task Who_is_notified_is_tested_and_told_without_its_secret()
    {
        (await _api.PostAsync("/settings/notify/test")).ShouldRefuse(HttpStatusCode.Conflict, "The setting notify names nobody");
        (await _api.PutAsync("/settings/notify", new { value = "https://127.0.0.1:9/hooks/hunter2" })).ShouldBe(HttpStatusCode.OK);

        foreach (var answer in new[] { await _api.GetAsync("/settings/notify"), await _api.GetAsync("/settings"), await _api.GetAsync("/audit"), await _api.PostAsync("/settings/notify/test") })
        {
            answer.ShouldBe(HttpStatusCode.OK).Text.ShouldNotContain("hunter2");
        }
    }

    [Fact]
    public async Task Users_are_made_changed_and_removed_and_nobody_reads_their_secrets()
    {
        var made = (await _api.PostAsync("/users", new { name = "ada", role = "Viewer", password = "eleven more letters" })).ShouldBe(HttpStatusCode.Created);
        made["hasPassword"].ShouldBe("true");
        made.Headers.Location!.ToString().ShouldBe("/api/v1/users/ada");
        (await _api.PostAsync("/users", new { name = "ada", role = "Viewer", password = "eleven more letters" })).ShouldRefuse(HttpStatusCode.Conflict, "There is a user ada already.");
        (await _api.PostAsync("/users", new { name = "<b>", role = "Viewer", password = "short" })).ShouldRefuse(HttpStatusCode.BadRequest, "A name has").Json.GetProperty("problems").GetArrayLength().ShouldBe(2);
        (await _api.PutAsync("/users/ada/role", new { role = "Operator" })).ShouldBe(HttpStatusCode.OK)["role"].ShouldBe("Operator");
        (await _api.PutAsync("/users/ada/role", new { role = "King" })).ShouldRefuse(HttpStatusCode.BadRequest, "role must be one of Viewer, Operator, Admin.");
        (await _api.PutAsync("/users/ada/role", new { role = 2 })).ShouldRefuse(HttpStatusCode.BadRequest, "role must be one of Viewer, Operator, Admin.");
        (await _api.PutAsync("/users/ada/password", new { password = "another long one" })).ShouldBe(HttpStatusCode.OK);
        await _server.AccountStore.ChangeUserAsync("ada", u => u with { Failures = 10, LockedUntil = DateTimeOffset.UtcNow.AddHours(1) }, Ct);
        (await _api.GetAsync("/users/ada"))["lockedUntil"].ShouldNotBeNull();
        (await _api.PostAsync("/users/ada/unlock")).ShouldBe(HttpStatusCode.OK)["lockedUntil"].ShouldBeNull();
        var stamp = (await _server.AccountStore.FindUserAsync("ada", Ct))!.Stamp;
        (await _api.DeleteAsync("/users/ada/sessions")).ShouldBe(HttpStatusCode.NoContent);
        (await _server.AccountStore.FindUserAsync("ada", Ct))!.Stamp.ShouldNotBe(stamp);
        (await _api.PutAsync("/users/bob/password", new { password = "another long one" })).ShouldRefuse(HttpStatusCode.NotFound, "There is no user bob.");
        (await _api.PutAsync("/users/admin/role", new { role = "Viewer" })).ShouldRefuse(HttpStatusCode.Conflict, "admin");
        (await _api.DeleteAsync("/users/admin")).ShouldRefuse(HttpStatusCode.Conflict, "admin");

        var record = (await _server.AccountStore.FindUserAsync("ada", Ct))!;
        foreach (var text in new[] { (await _api.GetAsync("/users")).Text, (await _api.GetAsync("/users/ada")).Text, (await _api.GetAsync("/audit")).Text })
        {
            text.ShouldNotContain(record.Password!);
            text.ShouldNotContain(record.Stamp);
            text.ShouldNotContain("another long one");
        }

        (await _api.PostAsync("/tokens", new { user = "ada", name = " ", role = "Admin", days = 400 })).ShouldRefuse(HttpStatusCode.BadRequest, "Say what the token is for").Json.GetProperty("problems").GetArrayLength().ShouldBe(3);
        (await _api.PostAsync("/tokens", new { user = "bob", name = "x", role = "Viewer", days = 4 })).ShouldRefuse(HttpStatusCode.BadRequest, "user: there is no user bob.");
        var token = (await _api.PostAsync("/tokens", new { user = "ada", name = "x", role = "Viewer", days = 4 })).ShouldBe(HttpStatusCode.Created);
        (await _api.GetAsync("/tokens")).Text.ShouldNotContain(token["secret"]!.Split('_')[2]);
        using var ada = new ApiCaller(_server.Client(token["secret"]));
        (await ada.GetAsync("/whoami"))["name"].ShouldBe("ada (token x)");
        (await _api.DeleteAsync($"/tokens/{token.Json.GetProperty("token").GetProperty("id").GetString()}")).ShouldBe(HttpStatusCode.NoContent);
        (await ada.GetAsync("/whoami")).ShouldBe(HttpStatusCode.Unauthorized);
        (await _api.DeleteAsync("/users/ada")).ShouldBe(HttpStatusCode.NoContent);
        (await _api.AllAsync("/audit")).Select(e => e.GetProperty("action").GetString()).ShouldBe(["remove user", "take token away", "make token", "end sessions", "unlock user", "set password", "set role", "add user"]);
    }

    private async Task<string> RunAsync(object migration)
    {
        var run = (await _api.PostAsync("/runs", new { migration, start = true })).ShouldBe(HttpStatusCode.Created)["runId"]!;
        (await EventReader.ReadToEndAsync(_api.Http, $"/runs/{run}/events"))[^2].Data.ShouldContain("\"state\":\"Completed\"");
        return run;
    }

    private sealed class MakeTable(string database) : Migration
    {
        public override string Name => "0001_table";

        public override string Description => "There is a table";

        public override VersionWindow Versions => new(null, "2.0.0");

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) =>
            Operations(new SqlOperation($"CREATE TABLE IF NOT EXISTS {database}.t (id UInt64) ENGINE = MergeTree ORDER BY id") { Undo = new([$"DROP TABLE IF EXISTS {database}.t SYNC"]) });
    }

    private sealed class FillTable(string database) : Migration
    {
        public override string Name => "0002_rows";

        public override string Description => "It has rows";

        public override IReadOnlyList<string> DependsOn => ["0001_table"];

        public override IReadOnlyList<Parameter> Parameters => [new("rows", ParameterType.Integer) { Default = "3", Help = "How many" }];

        public override IReadOnlyList<MigrationCheck> Checks => [new("always", CheckScope.Precheck, (_, _) => Task.FromResult(CheckAnswer.Ok()))];

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) =>
            Operations(new SqlOperation($"INSERT INTO {database}.t SELECT number FROM numbers({context.Parameters.Get<long>("rows")})") { Undo = new([$"TRUNCATE TABLE {database}.t"]) });
    }
}
