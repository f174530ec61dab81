using System.Net;
using System.Text.RegularExpressions;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata.Accounts;
using Godwit.Rebuild;
using Godwit.Runs;
using Godwit.Server.Metrics;
using Godwit.Server.Tests.Browser;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Metrics;

/// <summary>What Prometheus is told.</summary>
public sealed partial class MetricsTests(RealEngine real)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_has_a_token_reads_metrics_and_nobody_else()
    {
        await using var server = await ServerFixture.StartAsync(real.Engine, new ServerSetup { RunsWorker = false });

        using var nobody = server.Client();
        (await nobody.GetAsync(new Uri("/metrics", UriKind.Relative), Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var viewer = await server.ClientAsync(Role.Viewer);
        var answer = await viewer.GetAsync(new Uri("/metrics", UriKind.Relative), Ct);
        var scraped = await ScrapeAsync(server);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.ToString().ShouldBe("text/plain; version=0.0.4; charset=utf-8");
        scraped.Of("godwit_build_info").Keys.ShouldHaveSingleItem().ShouldMatch("""^\{version="\d+\.\d+\.\d+"\}$""");
        scraped.Of("godwit_clickhouse_up").ShouldHaveSingleItem().Value.ShouldBe(1);
        scraped.Samples["godwit_store_up"].ShouldBe(1);
        scraped.Of("godwit_worker_up").ShouldBeEmpty();
        scraped.Of("godwit_runs").ShouldBe(Enum.GetNames<RunState>().ToDictionary(s => $"{{state=\"{s}\"}}", _ => 0.0), ignoreOrder: true);
    }

    [Fact]
    public async Task A_run_is_told_of_while_it_can_still_change()
    {
        await using var server = await ServerFixture.StartAsync(real.Engine);
        using var gateway = real.Engine.Gateway();
        var table = await EventsTable.CreateAsync(gateway, rows: 100_000);
        var options = new RunOptions { MaxRowsPerSecond = 5_000, DeferCutover = true };
        var proposal = await server.Migrator.ProposeAsync(new RebuildRequest { Table = table, OrderBy = "(user, id)" }, options, Ct);
        var run = await server.Migrator.CreateRunAsync(proposal.Plan!, options, Ct);
        var of = $"{{run=\"{run}\",subject=\"{table}\"}}";

        await server.Migrator.QueueAsync(run, "ada", Ct);
        await Wait.UntilAsync(async () => (await ScrapeAsync(server)).Of("godwit_run_eta_seconds").ContainsKey(of), Ct);

        var scraped = await ScrapeAsync(server);
        scraped.Samples["godwit_worker_up"].ShouldBe(1);
        scraped.Samples["godwit_runs{state=\"Running\"}"].ShouldBe(1);
        scraped.Samples[$"godwit_run_info{{run=\"{run}\",subject=\"{table}\",state=\"Running\",strategy=\"block-log\"}}"].ShouldBe(1);
        scraped.Samples[$"godwit_run_progress_ratio{of}"].ShouldBeInRange(0.0001, 0.9999);
        scraped.Samples[$"godwit_run_rows_copied{of}"].ShouldBeInRange(1, 99_999);
        scraped.Samples[$"godwit_run_rows_planned{of}"].ShouldBe(100_000);
        scraped.Samples[$"godwit_run_rows_per_second{of}"].ShouldBePositive();
        scraped.Samples[$"godwit_run_errors_total{of}"].ShouldBe(0);
        scraped.Samples.Where(s => s.Key.StartsWith("godwit_run_steps", StringComparison.Ordinal)).Sum(s => s.Value).ShouldBe(proposal.Plan!.Steps.Count);

        await server.Migrator.PauseAsync(run, Ct);
        scraped = await ScrapeAsync(server);
        scraped.Samples[$"godwit_run_held{of}"].ShouldBe(1);
        scraped.Of("godwit_run_eta_seconds").ContainsKey(of).ShouldBeFalse();

        await server.Migrator.LimitAsync(run, null, "ada", Ct);
        await server.Migrator.AskAsync(run, Metadata.RunRequest.Resume, "ada", ct: Ct);
        await Wait.UntilAsync(async () => (await ScrapeAsync(server)).Samples["godwit_runs{state=\"AwaitingCutover\"}"] == 1, Ct);
        await Wait.UntilAsync(async () => (await ScrapeAsync(server)).Of("godwit_run_lag_seconds").ContainsKey(of), Ct);
        (await ScrapeAsync(server)).Samples[$"godwit_run_held{of}"].ShouldBe(0);

        await server.Migrator.RollbackAsync(run, ct: Ct);
        scraped = await ScrapeAsync(server);
        scraped.Samples["godwit_runs{state=\"RolledBack\"}"].ShouldBe(1);
        scraped.Samples.Keys.ShouldNotContain(k => k.Contains(run, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Requests_are_counted_by_what_they_asked_for_and_only_those_of_this_server()
    {
        await using var server = await ServerFixture.StartAsync(real.Engine, new ServerSetup { RunsWorker = false });
        await using var other = await ServerFixture.StartAsync(real.Engine, new ServerSetup { RunsWorker = false });
        using var client = server.Client();
        using var client2 = other.Client();

        await client.GetAsync(new Uri("/healthz", UriKind.Relative), Ct);
        await client.GetAsync(new Uri("/healthz", UriKind.Relative), Ct);
        await client2.GetAsync(new Uri("/healthz", UriKind.Relative), Ct);
        await client.GetAsync(new Uri("/api/v1/runs/nosuch", UriKind.Relative), Ct);
        await client.SendAsync(new HttpRequestMessage(new HttpMethod("MADEUP"), new Uri("/healthz", UriKind.Relative)), Ct);
        await client.SendAsync(new HttpRequestMessage(new HttpMethod("MADEUP2"), new Uri("/healthz", UriKind.Relative)), Ct);

        // A request is counted when all of it is over, which is a moment after its answer.
        await Wait.UntilAsync(async () => (await ScrapeAsync(server)).Of("godwit_http_requests_total").Where(s => s.Key.Contains("_OTHER", StringComparison.Ordinal)).Sum(s => s.Value) == 2, Ct);
        var scraped = await ScrapeAsync(server);
        scraped.Samples["godwit_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"2xx\"}"].ShouldBe(2);
        scraped.Samples["godwit_http_requests_total{method=\"GET\",route=\"/api/v1/runs/{run}\",status=\"4xx\"}"].ShouldBe(1);
        scraped.Samples["godwit_http_request_duration_seconds_count{method=\"GET\",route=\"/healthz\"}"].ShouldBe(2);
        scraped.Samples["godwit_http_request_duration_seconds_sum{method=\"GET\",route=\"/healthz\"}"].ShouldBePositive();
        scraped.Samples.Keys.ShouldNotContain(k => k.Contains("MADEUP", StringComparison.Ordinal) || k.Contains("nosuch", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Open_pages_and_refused_logins_are_counted()
    {
        await using var server = await ServerFixture.StartAsync(real.Engine, new ServerSetup { RunsWorker = false });
        await server.UserAsync(Role.Viewer);
        using var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { BaseAddress = server.Url };

        await LogInAsync(browser, "not the password");
        (await ScrapeAsync(server)).Samples["godwit_logins_refused_total"].ShouldBe(1);
        (await browser.GetAsync(new Uri("/live/overview", UriKind.Relative), Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await LogInAsync(browser, ServerFixture.Password)).StatusCode.ShouldBe(HttpStatusCode.Redirect);
        (await ScrapeAsync(server)).Samples["godwit_live_pages"].ShouldBe(0);

        using (var page = await browser.GetAsync(new Uri("/live/overview", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Ct))
        {
            page.StatusCode.ShouldBe(HttpStatusCode.OK);
            (await ScrapeAsync(server)).Samples["godwit_live_pages"].ShouldBe(1);
        }

        await Wait.UntilAsync(async () => (await ScrapeAsync(server)).Samples["godwit_live_pages"] == 0, Ct);
        (await ScrapeAsync(server)).Samples["godwit_logins_refused_total"].ShouldBe(1);

        // When the server has ended, all that it will ever count is counted.
        var meter = server.Services.GetRequiredService<HttpMeter>();
        await server.DisposeAsync();
        var text = new MetricText();
        meter.Write(text);
        var counted = Scraped.Read(text.ToString()).Of("godwit_http_requests_total").Keys;
        counted.ShouldContain(k => k.Contains("/live", StringComparison.Ordinal) && k.Contains("4xx", StringComparison.Ordinal));
        counted.ShouldNotContain(k => k.Contains("/live", StringComparison.Ordinal) && k.Contains("2xx", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_away_is_a_zero_and_the_rest_is_still_told()
    {
        await using var postgres = await PostgresFixture.StartAsync();
        await using var engine = await EngineFixture.StartAsync();
        await using var server = await ServerFixture.StartAsync(engine, new ServerSetup { RunsWorker = false, State = postgres.Url });
        using var viewer = await server.ClientAsync(Role.Viewer);
        using var stranger = server.Client($"godwit_{new string('a', 12)}_{new string('b', 48)}");
        await Wait.UntilAsync(async () => (await ScrapeAsync(server)).Of("godwit_migrations_required").ContainsKey(""), Ct);

        await engine.KillAsync();
        var scraped = await ScrapeAsync(server);
        (scraped.Of("godwit_clickhouse_up").Values.Single(), scraped.Samples["godwit_store_up"]).ShouldBe((0, 1));

        await postgres.StopAsync();
        scraped = Scraped.Read(await viewer.GetStringAsync(new Uri("/metrics", UriKind.Relative), Ct));
        (scraped.Of("godwit_clickhouse_up").Values.Single(), scraped.Samples["godwit_store_up"]).ShouldBe((0, 0));
        scraped.Of("godwit_runs").ShouldBeEmpty();
        scraped.Of("godwit_http_requests_total").ShouldNotBeEmpty();
        (await stranger.GetAsync(new Uri("/metrics", UriKind.Relative), Ct)).IsSuccessStatusCode.ShouldBeFalse();
        (await viewer.GetAsync(new Uri("/api/v1/runs/nosuch", UriKind.Relative), Ct)).StatusCode.ShouldBeOneOf(HttpStatusCode.InternalServerError, HttpStatusCode.ServiceUnavailable);

        await postgres.StartAgainAsync();
        (await ScrapeAsync(server)).Of("godwit_runs").ShouldNotBeEmpty();
    }

    // On a machine that is busy with other tests a store may once be too slow for a scrape.
    private static async Task<Scraped> ScrapeAsync(ServerFixture server)
    {
        var scraped = await Scraped.AskAsync(server, Ct);
        await Wait.UntilAsync(async () => scraped.Samples["godwit_store_up"] == 1 || (scraped = await Scraped.AskAsync(server, Ct)).Samples["godwit_store_up"] == 1, Ct);
        return scraped;
    }

    private static async Task<HttpResponseMessage> LogInAsync(HttpClient browser, string password)
    {
        var form = Hidden().Matches(await browser.GetStringAsync(new Uri("/login", UriKind.Relative), Ct)).ToDictionary(m => m.Groups[1].Value, m => WebUtility.HtmlDecode(m.Groups[2].Value));
        form["Form.Name"] = ServerFixture.NameOf(Role.Viewer);
        form["Form.Password"] = password;
        return await browser.PostAsync(new Uri("/login", UriKind.Relative), new FormUrlEncodedContent(form), Ct);
    }

    [GeneratedRegex("""<input type="hidden" name="([^"]+)" value="([^"]*)" />""")]
    private static partial Regex Hidden();
}
