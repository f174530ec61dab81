using System.Net;
using Godwit.Fixtures;
using Godwit.Metadata.Accounts;
using Godwit.Migrations;
using Godwit.Operations;
using Microsoft.Data.Sqlite;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>What is told when something is away, damaged or broken.</summary>
public sealed class TroubleTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_that_is_away_is_told_of_and_the_same_key_works_when_it_is_back()
    {
        await using var engine = await EngineFixture.StartAsync();
        await using var server = await ServerFixture.StartAsync(engine, new ServerSetup { RunsWorker = false });
        using var api = await ApiCaller.OfAsync(server, Role.Operator);
        var table = await TableOfEvents.MakeAsync(engine);
        var wish = new { rebuild = new { table, orderBy = "(team, id)" } };
        await engine.KillAsync();

        (await api.PostAsync("/runs", wish, "k")).ShouldRefuse(HttpStatusCode.ServiceUnavailable, $"{engine.Url.Authority} cannot be reached");
        (await api.GetAsync($"/tables/doctor?table={table}")).ShouldRefuse(HttpStatusCode.ServiceUnavailable, $"{engine.Url.Authority} cannot be reached");
        (await api.GetAsync("/runs")).ShouldBe(HttpStatusCode.OK);

        await engine.RestartAsync();
        (await api.PostAsync("/runs", wish, "k")).ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_state_that_cannot_be_read_is_told_of_with_what_to_do()
    {
        await using var engine = await EngineFixture.StartAsync();
        await using var server = await ServerFixture.StartAsync(engine, new ServerSetup { RunsWorker = false });
        using var api = await ApiCaller.OfAsync(server, Role.Viewer);
        await using (var connection = new SqliteConnection($"Data Source={server.State}"))
        {
            await connection.OpenAsync(Ct);
            await using var command = connection.CreateCommand();
            command.CommandText = "INSERT INTO settings (name, value) VALUES ('ofTomorrow', '1')";
            await command.ExecuteNonQueryAsync(Ct);
        }

        (await api.GetAsync("/settings")).ShouldRefuse(HttpStatusCode.ServiceUnavailable, "The stored settings cannot be used: There is no parameter ofTomorrow");
        (await api.GetAsync("/whoami")).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_defect_is_answered_with_a_number_of_the_log_and_none_of_its_details()
    {
        await using var engine = await EngineFixture.StartAsync();
        var broken = new Broken();
        await using var server = await ServerFixture.StartAsync(engine, new ServerSetup { RunsWorker = false, Migrations = new MigrationSet([broken]) });
        using var api = await ApiCaller.OfAsync(server, Role.Viewer);
        broken.IsBroken = true;

        var answer = (await api.GetAsync("/migrations")).ShouldRefuse(HttpStatusCode.InternalServerError, "Godwit met an error that it does not know.");
        answer["traceId"]!.Length.ShouldBeGreaterThan(8);
        answer["detail"]!.ShouldContain(answer["traceId"]!);
        answer.Text.ShouldNotContain("hunter2");
        answer.Text.ShouldNotContain("InvalidOperation");
        (await api.GetAsync("/whoami")).ShouldBe(HttpStatusCode.OK);
    }

    private sealed class Broken : Migration
    {
        public bool IsBroken { get; set; }

        public override string Name => "broken";

        public override string Description => IsBroken ? throw new InvalidOperationException("the password is hunter2") : "Breaks";

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations(new SqlOperation("SELECT 1") { Undo = new([]) });
    }
}
