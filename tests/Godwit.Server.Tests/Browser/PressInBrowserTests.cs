using Godwit.ClickHouse;
using Godwit.Metadata.Accounts;
using Godwit.Runs;
using Microsoft.Playwright;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Browser;

/// <summary>A page that changes by itself, and somebody who presses something on it.</summary>
public sealed class PressInBrowserTests(RealEngine real, Chromium chromium)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_press_counts_although_the_page_changes_before_the_button_is_let_go()
    {
        await using var server = await ServerFixture.StartAsync(real.Engine);
        await server.UserAsync(Role.Operator);
        using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = real.Engine.Url });
        var table = await EventsTable.CreateAsync(gateway, rows: 100);
        var options = new RunOptions { DeferCutover = true };
        var proposal = await server.Migrator.ProposeAsync(new Rebuild.RebuildRequest { Table = table, OrderBy = "(user, id)" }, options, Ct);
        var run = await server.Migrator.CreateRunAsync(proposal.Plan!, options, Ct);
        await using var person = await chromium.NewPersonAsync(server.Url);
        await person.LogInAsync("operator");
        var page = person.Page;
        await person.OpenAsync($"/runs/{run}");
        await person.DoAsync("Start");
        await person.SeesStateAsync("AwaitingCutover");

        // What is shown waits for as long as the button is down, and no longer.
        await PressAsync(page, page.GetByRole(AriaRole.Heading, new() { Name = table.ToString() }));
        await server.Migrator.PauseAsync(run, Ct);
        await TitleAsync(page, "Paused");
        (await page.Locator("[data-region=head] .badge").InnerTextAsync()).ShouldBe("AwaitingCutover");
        await page.Mouse.UpAsync();
        await person.SeesStateAsync("Paused");

        var link = page.GetByRole(AriaRole.Link, new() { Name = $"Compare {table} with its new table" });
        await PressAsync(page, link);
        await server.Migrator.ResumeAsync(run, ct: Ct);
        await TitleAsync(page, "AwaitingCutover");
        await page.Mouse.UpAsync();

        await page.GetByRole(AriaRole.Heading, new() { Name = "Compare tables" }).WaitForAsync();
    }

    private static async Task PressAsync(IPage page, ILocator what)
    {
        await what.HoverAsync();
        await page.Mouse.DownAsync();
    }

    private static async Task TitleAsync(IPage page, string state) => await page.WaitForFunctionAsync($"() => document.title.includes('{state}')");
}
