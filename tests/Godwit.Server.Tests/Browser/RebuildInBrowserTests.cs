using Godwit.Cli.Demo;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata.Accounts;
using Microsoft.Playwright;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Browser;

/// <summary>A rebuild from the wizard to its rollback, by clicks alone, while writers go on.</summary>
public sealed class RebuildInBrowserTests(RealEngine real, Chromium chromium)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_table_is_rebuilt_held_limited_cut_over_and_rolled_back_by_buttons_under_live_writers()
    {
        await using var server = await ServerFixture.StartAsync(real.Engine);
        await server.UserAsync(Role.Operator);
        using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = real.Engine.Url });
        var table = await EventsTable.CreateAsync(gateway, rows: 600_000);
        var log = new WriterLog();
        log.AddPresent(new IdRange(0, 599_999));
        await using var writer = LiveWriter.Start(gateway, new LiveWriterOptions { Table = table, Rows = EventsTable.LiveRows, Writers = 2, Pause = TimeSpan.FromMilliseconds(20) }, log);
        await AskAsync(gateway, table);
        await using var person = await chromium.NewPersonAsync(server.Url);
        await person.LogInAsync("operator");
        var page = person.Page;

        await person.OpenAsync("/tables");
        await page.GetByRole(AriaRole.Link, new() { Name = table.ToString() }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Rebuild" }).ClickAsync();
        await Assertions.Expect(page.Locator("[data-load]").GetByText("Looking at the server's log")).ToHaveCountAsync(0);
        await page.GetByLabel("ORDER BY").FillAsync("(user, id)");
        await page.GetByLabel("Wait for me before the names change hands").CheckAsync();
        await page.GetByLabel("At most rows per second").FillAsync("20,000");
        await page.GetByRole(AriaRole.Button, new() { Name = "Estimate" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "Estimate" }).WaitForAsync();
        await person.KeepPictureAsync("wizard", whole: true);
        await page.GetByRole(AriaRole.Button, new() { Name = "Check and plan" }).ClickAsync();
        await person.SeesStateAsync("NotStarted");

        (await person.DoAsync("Start")).ShouldContain("It does 35 steps");
        await person.SeesStateAsync("Running");
        await Assertions.Expect(page.Locator("[data-region=figures]")).ToContainTextAsync("limited to 20,000");

        await page.Locator("tr[data-step='12'] .badge", new() { HasTextString = "done" }).WaitForAsync();
        await person.KeepPictureAsync("run");
        (await person.DoAsync("Pause")).ShouldContain("statements");
        await person.SeesStateAsync("Paused");
        await page.Locator("[data-region=actions]").GetByRole(AriaRole.Link, new() { Name = "Speed limit" }).ClickAsync();
        await page.Locator("dialog[open]").GetByLabel("Rows per second").FillAsync("");
        await page.Locator("dialog[open]").GetByRole(AriaRole.Button, new() { Name = "Speed limit" }).ClickAsync();
        await Assertions.Expect(page.Locator("[data-region=figures]")).ToContainTextAsync("no limit");
        (await person.DoAsync("Resume")).ShouldContain("goes on where it stopped");

        await person.SeesStateAsync("AwaitingCutover");
        await person.KeepPictureAsync("run-waits");
        (await person.DoAsync("Cut over")).ShouldContain(table.ToString());
        await person.SeesStateAsync("Completed");
        (await gateway.ScalarAsync<string>($"SELECT sorting_key FROM system.tables WHERE database = {Sql.Literal(table.Database)} AND name = {Sql.Literal(table.Table)}", ct: Ct)).ShouldBe("user, id");

        (await person.DoAsync("Roll back")).ShouldContain("The old definition comes back with every row");
        await person.SeesStateAsync("RolledBack");
        await writer.StopAsync();
        var verdict = await new WriterOracle(gateway, table, "id").CompareAsync(log, Ct);
        (verdict.Lost, verdict.Duplicated).ShouldBe((0, 0));
        (await gateway.ScalarAsync<string>($"SELECT sorting_key FROM system.tables WHERE database = {Sql.Literal(table.Database)} AND name = {Sql.Literal(table.Table)}", ct: Ct)).ShouldBe("id");
        var audit = await server.Migrator.AuditAsync(100, ct: Ct);
        audit.Where(a => a.Who == "operator").Select(a => a.Action).Reverse().ShouldBe(["login", "plan", "start", "pause", "limit", "resume", "cutover", "rollback"]);
        audit.ShouldAllBe(a => a.From == "127.0.0.1");
    }

    // What the log of queries then tells the wizard.
    private static async Task AskAsync(ClickHouseGateway gateway, QualifiedName table)
    {
        for (var user = 1; user <= 5; user++)
        {
            await gateway.QueryAsync($"SELECT count() FROM {table.ToSql()} WHERE user = {Sql.Literal(user)}", ct: Ct);
        }

        await gateway.ExecuteAsync("SYSTEM FLUSH LOGS", ct: Ct);
    }

    [Fact]
    public async Task A_wish_that_cannot_be_granted_is_answered_with_the_checks_that_stand_against_it()
    {
        await using var server = await ServerFixture.StartAsync(real.Engine);
        await server.UserAsync(Role.Operator);
        using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = real.Engine.Url });
        var table = await EventsTable.CreateAsync(gateway, rows: 1000);
        await using var person = await chromium.NewPersonAsync(server.Url);
        await person.LogInAsync("operator");

        await person.OpenAsync($"/rebuild?name={table}");
        await person.Page.GetByLabel("ORDER BY").FillAsync("no_such_column");
        await person.Page.GetByRole(AriaRole.Button, new() { Name = "Check and plan" }).ClickAsync();

        await person.SeesAsync("It cannot be rebuilt like this; nothing was changed.");
        (await person.TextAsync()).ShouldContain("no_such_column");
        (await server.Migrator.ListAsync(Ct)).ShouldBeEmpty();
        await person.RequireGoodPageAsync();
    }

    [Fact]
    public async Task An_operator_who_names_SQL_as_a_hook_is_told_who_may()
    {
        await using var server = await ServerFixture.StartAsync(real.Engine);
        await server.UserAsync(Role.Operator);
        using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = real.Engine.Url });
        var table = await EventsTable.CreateAsync(gateway, rows: 10);
        await using var person = await chromium.NewPersonAsync(server.Url);
        await person.LogInAsync("operator");

        await person.OpenAsync($"/rebuild?name={table}");
        await person.Page.GetByLabel("ORDER BY").FillAsync("user");
        await person.Page.GetByText("What is written meanwhile").ClickAsync();
        await person.Page.GetByLabel("Strategy").SelectOptionAsync("pause-feed");
        await person.Page.GetByLabel("Pause writers by").FillAsync("sql:SYSTEM SHUTDOWN");
        await person.Page.GetByLabel("Let them go on by").FillAsync("command:release");
        await person.Page.GetByRole(AriaRole.Button, new() { Name = "Check and plan" }).ClickAsync();

        await person.SeesAsync("Only an admin may name SQL or an address as a hook");
        (await server.Migrator.ListAsync(Ct)).ShouldBeEmpty();
        await person.RequireGoodPageAsync();
    }
}
