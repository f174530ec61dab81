using Godwit.ClickHouse;
using Godwit.Metadata.Accounts;
using Godwit.Runs;
using Microsoft.Playwright;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Browser;

/// <summary>How two tables differ, for people.</summary>
public sealed class CompareInBrowserTests(RealEngine real, Chromium chromium)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, 1280)]
    [InlineData(true, 1280)]
    [InlineData(false, 390)]
    public async Task A_table_is_compared_with_another_one_from_its_page(bool isDark, int width)
    {
        await using var server = await ServerFixture.StartAsync(real.Engine, new ServerSetup { RunsWorker = false });
        await server.UserAsync(Role.Operator);
        using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = real.Engine.Url });
        var table = await EventsTable.CreateAsync(gateway, rows: 50_000);
        var other = table with { Table = "b <i>'" };
        await gateway.ExecuteAsync($"CREATE TABLE {other.ToSql()} (id UInt64, user UInt32, day Date, text Nullable(String)) ENGINE = MergeTree ORDER BY id", ct: Ct);
        await gateway.ExecuteAsync($"INSERT INTO {other.ToSql()} SELECT id, user, day, if(user = 3, NULL, if(user = 4, '<b>bold</b>', text)) FROM {table.ToSql()} WHERE day != '2026-01-13' AND NOT (day = '2026-01-20' AND id % 3 = 0)", ct: Ct);
        await using var person = await chromium.NewPersonAsync(server.Url, isDark, width);
        await person.LogInAsync("operator");
        var page = person.Page;

        await person.OpenAsync($"/table?name={table}");
        await page.GetByRole(AriaRole.Link, new() { Name = "Compare" }).ClickAsync();
        await page.GetByLabel("Table B").FillAsync(other.ToString());
        await page.GetByLabel("Count by column").FillAsync("text");
        await page.GetByRole(AriaRole.Button, new() { Name = "Compare" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "By text" }).WaitForAsync();

        var text = await person.TextAsync();
        text.ShouldContain("rows fewer than");
        text.ShouldContain("2 of 28 days differ");
        text.ShouldContain("<b>bold</b>");
        await Assertions.Expect(page.Locator("td code")).ToHaveTextAsync("NULL");
        (await page.Locator("section", new() { Has = page.GetByRole(AriaRole.Heading, new() { Name = "By day of day" }) }).Locator("tbody tr").First.InnerTextAsync()).ShouldStartWith("2026-01-13");
        await person.RequireGoodPageAsync();
        await person.KeepPictureAsync($"compare-{(isDark ? "dark" : "light")}-{width}", whole: true);

        await page.GetByLabel("and by column").FillAsync("nosuch");
        await page.GetByRole(AriaRole.Button, new() { Name = "Compare" }).ClickAsync();
        await person.SeesAsync("There is no column nosuch in");
        await person.RequireGoodPageAsync();
    }

    [Fact]
    public async Task The_page_of_a_run_leads_to_its_old_and_new_table_side_by_side()
    {
        await using var server = await ServerFixture.StartAsync(real.Engine);
        await server.UserAsync(Role.Operator);
        using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = real.Engine.Url });
        var table = await EventsTable.CreateAsync(gateway, rows: 10_000);
        var options = new RunOptions { DeferCutover = true };
        var proposal = await server.Migrator.ProposeAsync(new Rebuild.RebuildRequest { Table = table, OrderBy = "(user, id)" }, options, Ct);
        var run = await server.Migrator.CreateRunAsync(proposal.Plan!, options, Ct);
        await using var person = await chromium.NewPersonAsync(server.Url);
        await person.LogInAsync("operator");
        var page = person.Page;
        await person.OpenAsync($"/runs/{run}");
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "Compare" })).ToHaveCountAsync(0);

        await person.DoAsync("Start");
        await person.SeesStateAsync("AwaitingCutover");
        await page.GetByRole(AriaRole.Link, new() { Name = $"Compare {table} with its new table" }).ClickAsync();
        await person.SeesAsync($"No difference was found: {table} and {table}_godwit_{run} both have 10,000 rows.");

        await person.OpenAsync($"/runs/{run}");
        await person.DoAsync("Cut over");
        await person.SeesStateAsync("Completed");
        await page.GetByRole(AriaRole.Link, new() { Name = $"Compare {table} with the old table" }).ClickAsync();
        await person.SeesAsync($"No difference was found: {table}_godwit_{run} and {table} both have 10,000 rows.");

        await person.OpenAsync($"/runs/{run}");
        await person.DoAsync("Roll back");
        await person.SeesStateAsync("RolledBack");
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "Compare" })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_viewer_compares_without_a_condition()
    {
        await using var server = await ServerFixture.StartAsync(real.Engine, new ServerSetup { RunsWorker = false });
        await server.UserAsync(Role.Viewer);
        using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = real.Engine.Url });
        var table = await EventsTable.CreateAsync(gateway, rows: 100);
        await using var person = await chromium.NewPersonAsync(server.Url);
        await person.LogInAsync("viewer");

        await person.OpenAsync($"/compare?a={table}&b={table}");
        await person.SeesAsync("No difference was found");
        await Assertions.Expect(person.Page.GetByLabel("Only rows where")).ToHaveCountAsync(0);
        await person.OpenAsync($"/compare?a={table}&b={table}&where=id%3D1");
        await person.SeesAsync("it takes the role Operator");
    }
}
