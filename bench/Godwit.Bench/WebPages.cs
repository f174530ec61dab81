using System.Diagnostics;
using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata.Sqlite;
using Godwit.Migrations;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Runs;
using Microsoft.Playwright;

namespace Godwit.Bench;

/// <summary>What <c>godwit serve</c> costs, and what people wait for in a browser, Debian's. The worker is this process, so that only the pages count.</summary>
internal static class WebPages
{
    private const int ManyTables = 5_000;
    private const int OpenPages = 50;
    private const int Loads = 9;
    private const int Facts = 20;
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(EngineFixture engine, Bench bench, string folder)
    {
        await bench.MakeEventsAsync("web", 3_000_000, 12);
        foreach (var names in Enumerable.Range(0, ManyTables).Chunk(100))
        {
            await Task.WhenAll(names.Select(i => bench.ExecuteAsync($"CREATE TABLE {Bench.Database}.table_{i} (a UInt64) ENGINE = MergeTree ORDER BY a")));
        }

        var state = Path.Combine(folder, "pages.db");
        await using var store = await SqliteStore.OpenAsync(state);
        var migrator = new Migrator(bench.Gateway, store, new MigratorOptions { Migrations = new MigrationSet([new ManySteps.Many(10_000)]) });
        var many = await CreatedAsync(migrator, options => migrator.ProposeAsync(new MigrationRequest("many"), options), new RunOptions());
        var wish = new RebuildRequest { Table = new QualifiedName(Bench.Database, "web"), OrderBy = Bench.NewKey };
        var run = await CreatedAsync(migrator, options => migrator.ProposeAsync(wish, options), new RunOptions { MaxRowsPerSecond = 20_000 });
        using var serve = Start(engine, state);
        try
        {
            using var playwright = await Playwright.CreateAsync();
            await using var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
            {
                ExecutablePath = "/usr/bin/chromium",
                Args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            });
            var page = await browser.NewPageAsync();
            var address = await BecomeAdminAsync(serve, page);
            var work = migrator.RunAsync(run);
            Report.Head("Pages in Chromium: until the first paint, and from frame to frame while scrolling, the middle one and the longest");
            await PageAsync(page, "overview", address);
            await PageAsync(page, "a run that copies", new Uri(address, $"/runs/{run}"));
            await PageAsync(page, "a run of 10,000 steps", new Uri(address, $"/runs/{many}"));
            await PageAsync(page, $"{ManyTables:N0} tables", new Uri(address, "/tables"));
            await PageAsync(page, "the wizard", new Uri(address, $"/rebuild?name={Bench.Database}.web"));
            await page.GotoAsync(new Uri(address, $"/runs/{run}").ToString());
            await UpdatesAsync(migrator, run, page);
            await OpenPagesAsync(serve, page, new Uri(address, $"/live/runs/{run}"));
            await migrator.StopAsync(run); // a paused one waits to be resumed
            await work;
        }
        finally
        {
            serve.Kill();
        }
    }

    private static async Task<string> CreatedAsync(Migrator migrator, Func<RunOptions, Task<Proposal>> propose, RunOptions options) =>
        await migrator.CreateRunAsync((await propose(options)).Plan!, options);

    private static Process Start(EngineFixture engine, string state)
    {
        string[] arguments = ["exec", Path.Combine(AppContext.BaseDirectory, "Godwit.Cli.dll"), "serve", "--no-worker", "--server", engine.Url.ToString(), "--state", state, "--listen", "0"];
        return Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }

    // By the link that it prints for the first one.
    private static async Task<Uri> BecomeAdminAsync(Process serve, IPage page)
    {
        string? line;
        do
        {
            line = await serve.StandardError.ReadLineAsync() ?? throw new InvalidOperationException("godwit serve ended.");
        }
        while (!line.Contains("/setup?code=", StringComparison.Ordinal));

        // Whoever writes into a pipe that nobody reads waits some day.
        _ = Task.WhenAll(serve.StandardOutput.ReadToEndAsync(), serve.StandardError.ReadToEndAsync());
        var link = line[line.IndexOf("http://", StringComparison.Ordinal)..];
        await page.GotoAsync(link);
        await page.GetByLabel("Name").FillAsync("bench");
        await page.GetByLabel("Password").First.FillAsync("correct horse battery");
        await page.GetByLabel("Password again").FillAsync("correct horse battery");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make the admin" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "Overview" }).WaitForAsync();
        return new Uri(new Uri(link), "/");
    }

    private static async Task PageAsync(IPage page, string name, Uri address)
    {
        await page.GotoAsync(address.ToString());
        List<double> paints = [];
        for (var i = 0; i < Loads; i++)
        {
            await page.ReloadAsync();
            paints.Add(await page.EvaluateAsync<double>(
                "() => new Promise(done => new PerformanceObserver(l => l.getEntriesByName('first-contentful-paint').forEach(e => done(e.startTime))).observe({ type: 'paint', buffered: true }))"));
        }

        // What scrolls is the list, where there is one. It goes all the way down and up again, a hundredth with each frame.
        var frames = await page.EvaluateAsync<double[]>(
            """
            () => new Promise(done => {
                const list = document.querySelector('[data-more]') ?? document.scrollingElement;
                const frames = [];
                let last = performance.now();
                const frame = now => {
                    frames.push(now - last);
                    last = now;
                    list.scrollTop = (1 - Math.abs(1 - frames.length / 100)) * list.scrollHeight;
                    frames.length < 200 ? requestAnimationFrame(frame) : done(frames);
                };
                requestAnimationFrame(frame);
            })
            """);
        Report.Say(name, $"{Middle(paints)}, {Middle(frames)}", "aim: below 1000 ms; below 50 ms");
    }

    private static async Task UpdatesAsync(Migrator migrator, string run, IPage page)
    {
        Report.Head("From a fact in the store to the open page");
        List<double> times = [];
        for (var i = 0; i < Facts; i++)
        {
            var limit = 20_000 + i;
            await migrator.LimitAsync(run, limit, "bench");
            times.Add(1000 * await Bench.TimeAsync(() => page.GetByText(limit.ToString("N0", CultureInfo.InvariantCulture)).First.WaitForAsync()));
        }

        Report.Say("shown after", Middle(times), "aim: within 1000 ms");
    }

    private static async Task OpenPagesAsync(Process serve, IPage page, Uri live)
    {
        Report.Head($"{OpenPages} open pages of a run that copies");
        var cookies = await page.Context.CookiesAsync();
        await page.CloseAsync();
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false });
        client.DefaultRequestHeaders.Add("Cookie", string.Join("; ", cookies.Select(c => $"{c.Name}={c.Value}")));
        Report.Say("share of a core without them", await ShareAsync(serve));
        using var end = new CancellationTokenSource();
        var pages = Enumerable.Range(0, OpenPages).Select(_ => FollowAsync(client, live, end.Token)).ToList();
        Report.Say("share of a core with them", await ShareAsync(serve), "aim: below 50 %");
        await end.CancelAsync();
        var bytes = await Task.WhenAll(pages);
        Report.Say("sent to each in a second", $"{bytes.Average() / Watched.TotalSeconds / 1000:0.0} kB");
    }

    private static async Task<long> FollowAsync(HttpClient client, Uri live, CancellationToken ct)
    {
        long bytes = 0;
        var buffer = new byte[64 << 10];
        await using var stream = await client.GetStreamAsync(live, CancellationToken.None);
        try
        {
            while (await stream.ReadAsync(buffer, ct) is var read and > 0)
            {
                bytes += read;
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return bytes;
        }

        throw new InvalidOperationException("The stream of an open page ended.");
    }

    private static async Task<string> ShareAsync(Process serve)
    {
        serve.Refresh();
        var (before, watch) = (serve.TotalProcessorTime, Stopwatch.StartNew());
        await Task.Delay(Watched);
        serve.Refresh();
        return ((serve.TotalProcessorTime - before) / watch.Elapsed).ToString("0.0 %", CultureInfo.InvariantCulture);
    }

    private static string Middle(IReadOnlyCollection<double> times)
    {
        var sorted = times.Order().ToList();
        return string.Create(CultureInfo.InvariantCulture, $"{sorted[sorted.Count / 2]:0} ms (at most {sorted[^1]:0})");
    }
}
