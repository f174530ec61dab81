using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Godwit.ClickHouse;
using Godwit.Fixtures;
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
        var (state, port) = (Path.Combine(folder.FullName, "state.db"), FreePort());
        var url = new Uri($"http://127.0.0.1:{port}");
        await using (var maker = await ServerFixture.StartAsync(real.Engine, new ServerSetup { State = state, RunsWorker = false }))
        {
            await maker.UserAsync(Role.Operator);
        }

        var process = await ServeAsync(state, port);
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

            process.Kill();
            await process.WaitForExitAsync(Ct);
            await Assertions.Expect(person.Page.Locator("#trouble")).ToContainTextAsync("The server does not answer");
            process.Dispose();
            process = await ServeAsync(state, port);

            await Assertions.Expect(person.Page.Locator("#trouble")).ToBeHiddenAsync();
            await person.SeesStateAsync("Completed");
            (await gateway.ScalarAsync<long>($"SELECT count() FROM {table.ToSql()}", ct: Ct)).ShouldBe(300_000);
            await person.OpenAsync("/");
            (await person.TextAsync()).ShouldContain("Can still be rolled back");
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
            folder.Delete(recursive: true);
        }
    }

    private async Task<Process> ServeAsync(string state, int port)
    {
        var cli = Path.Combine(AppContext.BaseDirectory, "Godwit.Cli.dll");
        var process = Process.Start(new ProcessStartInfo(
            "dotnet", ["exec", cli, "serve", "--server", real.Engine.Url.ToString(), "--state", state, "--listen", port.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        _ = process.StandardError.ReadToEndAsync(CancellationToken.None);
        using var client = new HttpClient();
        await Wait.UntilAsync(
            async () =>
            {
                try
                {
                    return (await client.GetAsync(new Uri($"http://127.0.0.1:{port}/readyz"), Ct)).IsSuccessStatusCode;
                }
                catch (HttpRequestException) when (!process.HasExited)
                {
                    return false;
                }
            },
            Ct);
        return process;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
