using Godwit.ClickHouse;
using Godwit.Metadata.Accounts;
using Microsoft.Playwright;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Browser;

/// <summary>The server dies while a run is under way and somebody looks.</summary>
public sealed class RestartInBrowserTests(RealEngine real, Chromium chromium)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_server_goes_on_where_it_was_and_open_pages_find_it_again_by_themselves()
    {
        using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = real.Engine.Url });
        var table = await EventsTable.CreateAsync(gateway, rows: 300_000);
        var folder = Directory.CreateTempSubdirectory("godwit-restart-");
        var (state, port) = (Path.Combine(folder.FullName, "state.db"), ServeProcess.FreePort());
        var url = new Uri($"http://127.0.0.1:{port}");
        await using (var maker = await ServerFixture.StartAsync(real.Engine, new ServerSetup { State = state, RunsWorker = false }))
        {
            await maker.UserAsync(Role.Operator);
        }

        var process = await ServeProcess.StartAsync(real.Engine, state, port, Ct);
        try
        {
            await using var person = await chromium.NewPersonAsync(url);
            await person.LogInAsync("operator");
            await person.OpenAsync($"/rebuild?name={table}");
            await person.Page.GetByLabel("ORDER BY").FillAsync("(user, id)");
            await person.Page.GetByLabel("At most rows per second").FillAsync("15000");
            await person.Page.GetByRole(AriaRole.Button, new() { Name = "Check and plan" }).ClickAsync();
            await person.DoAsync("Start");
            await person.SeesStateAsync("Running");
            await person.Page.Locator("tr[data-step] .badge", new() { HasTextString = "running" }).First.WaitForAsync();

            await process.DisposeAsync();
            await Assertions.Expect(person.Page.Locator("#trouble")).ToContainTextAsync("The server does not answer");
            process = await ServeProcess.StartAsync(real.Engine, state, port, Ct);

            await Assertions.Expect(person.Page.Locator("#trouble")).ToBeHiddenAsync();
            await person.SeesStateAsync("Completed");
            (await gateway.ScalarAsync<long>($"SELECT count() FROM {table.ToSql()}", ct: Ct)).ShouldBe(300_000);
            await person.OpenAsync("/");
            (await person.TextAsync()).ShouldContain("Can still be rolled back");
        }
        finally
        {
            await process.DisposeAsync();
            folder.Delete(recursive: true);
        }
    }
}
