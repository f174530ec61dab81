using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Godwit.Fixtures;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Samples;

/// <summary>Every sample is run as a person would run it: started as a program, asked from outside, ended by a signal.</summary>
public sealed partial class SampleTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-sample-").FullName;

    // The samples have names of databases in them, so none of them shares an engine with other tests.
    private EngineFixture _engine = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string State => Path.Combine(_folder, "state.db");

    private (string, string)[] Environment => [("GODWIT_SERVER", _engine.Url.ToString()), ("GODWIT_STATE", State), ("NO_COLOR", "1")];

    public async ValueTask InitializeAsync() => _engine = await EngineFixture.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task The_minimal_worker_starts_what_is_required_and_the_command_knows_its_migrations()
    {
        await GodwitAsync("settings", "--set", "autoStart=true");
        var dll = Path.Combine(Program.Sample("Minimal"), "Minimal.dll");
        await using var worker = Program.Start(dll, [], Environment);

        await worker.UntilAsync("0001_visits is Completed", Ct);

        (await StatesAsync("--migrations", dll)).ShouldBe(["0001_visits Completed"]);
        (await worker.TerminateAsync(Ct)).ShouldBe(0, worker.Output);
        (await GodwitAsync("migrations", "rollback", "0001_visits", "--migrations", dll)).ShouldContain("RolledBack");
    }

    [Fact]
    public async Task Every_command_in_the_readme_of_the_YAML_sample_works()
    {
        var sample = Path.Combine(Program.Repository, "samples", "YamlOnly");
        var commands = Commands().Matches(await File.ReadAllTextAsync(Path.Combine(sample, "README.md"), Ct)).Select(m => m.Groups["arguments"].Value).ToList();
        commands.Count.ShouldBeGreaterThan(6);
        string[] migrations = ["--migrations", Path.Combine(sample, "migrations")];

        foreach (var command in commands)
        {
            await GodwitAsync([.. command.Split(' '), .. migrations]);
        }

        (await StatesAsync(migrations)).ShouldBe(["0001_orders Completed", "0002_daily Completed", "0003_by_customer Completed"]);
        using var gateway = _engine.Gateway();
        (await gateway.ScalarAsync<string>("SELECT sorting_key FROM system.tables WHERE database = 'shop' AND name = 'orders'", ct: Ct)).ShouldBe("customer, id");
        (await gateway.ScalarAsync<long>("SELECT count() FROM shop.orders", ct: Ct)).ShouldBe(100_000);
    }

    [Fact]
    public async Task The_web_application_lists_its_migrations_and_runs_the_one_that_is_asked_for()
    {
        await using var app = StartWeb([("Godwit__ClickHouse__Url", _engine.Url.ToString()), ("Godwit__Store", State)]);
        using var client = await ClientAsync(app);

        (await ListAsync(client)).ShouldBe(["0001_orders NotStarted", "0002_country NotStarted"]);
        var early = await client.PostAsync(new Uri("/migrations/0002_country/runs", UriKind.Relative), null, Ct);
        early.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await early.Content.ReadAsStringAsync(Ct)).ShouldContain("0001_orders");
        await RunAsync(client, "0001_orders");
        await RunAsync(client, "0002_country");

        (await ListAsync(client)).ShouldBe(["0001_orders Completed", "0002_country Completed"]);
        using var gateway = _engine.Gateway();
        (await gateway.ScalarAsync<string>("SELECT arrayStringConcat(groupArray(country || ' ' || toString(n)), ', ') FROM (SELECT country, count() AS n FROM web.orders GROUP BY country ORDER BY country)", ct: Ct))
            .ShouldBe("DE 1000, NL 1000, NZ 1000");
        var unknown = await client.PostAsync(new Uri("/migrations/nosuch/runs", UriKind.Relative), null, Ct);
        unknown.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await unknown.Content.ReadAsStringAsync(Ct)).ShouldContain("There is no migration nosuch");
        (await app.TerminateAsync(Ct)).ShouldBe(0, app.Output);
    }

    [Fact]
    public async Task The_web_application_starts_while_ClickHouse_and_its_store_are_away_says_so_and_goes_on_when_they_are_back()
    {
        await using var postgres = await PostgresFixture.StartAsync();
        await postgres.StopAsync();
        await _engine.KillAsync();
        await using var app = StartWeb([("Godwit__ClickHouse__Url", _engine.Url.ToString()), ("Godwit__Store", postgres.ConnectionString)]);
        using var client = await ClientAsync(app);

        await app.UntilAsync("The worker waits: PostgreSQL", Ct);
        var health = await client.GetStringAsync(new Uri("/health", UriKind.Relative), Ct);
        health.ShouldContain("Degraded");
        health.ShouldContain("where runs are kept, cannot be reached");
        health.ShouldContain($"{_engine.Url.Authority} cannot be reached");
        (await client.GetAsync(new Uri("/migrations", UriKind.Relative), Ct)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        await postgres.StartAgainAsync();
        await app.UntilAsync($"The worker waits: {_engine.Url.Authority} cannot be reached", Ct);
        await _engine.RestartAsync();
        await app.UntilAsync("The worker goes on", Ct);

        (await client.GetStringAsync(new Uri("/health", UriKind.Relative), Ct)).ShouldContain("Healthy");
        await RunAsync(client, "0001_orders");
        (await ListAsync(client)).ShouldBe(["0001_orders Completed", "0002_country NotStarted"]);
    }

    private static Program StartWeb((string, string)[] environment) =>
        Program.Start(Path.Combine(Program.Sample("WebApp"), "WebApp.dll"), ["--urls", "http://127.0.0.1:0"], environment);

    private static async Task<HttpClient> ClientAsync(Program app)
    {
        const string Said = "Now listening on: ";
        await app.UntilAsync(Said, Ct);
        return new HttpClient { BaseAddress = new Uri(Address().Match(app.Output).Value[Said.Length..]) };
    }

    private static async Task RunAsync(HttpClient client, string migration)
    {
        var accepted = await client.PostAsync(new Uri($"/migrations/{migration}/runs", UriKind.Relative), null, Ct);
        accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted, await accepted.Content.ReadAsStringAsync(Ct));
        string state;
        while ((state = (await client.GetFromJsonAsync<JsonElement>(accepted.Headers.Location, Ct)).GetProperty("state").GetString()!) != "Completed")
        {
            state.ShouldBeOneOf("NotStarted", "Starting", "Running");
            await Task.Delay(50, Ct);
        }
    }

    private static async Task<IReadOnlyList<string>> ListAsync(HttpClient client) => States(await client.GetFromJsonAsync<JsonElement>(new Uri("/migrations", UriKind.Relative), Ct));

    private static List<string> States(JsonElement migrations) =>
        [.. migrations.EnumerateArray().Select(m => $"{m.GetProperty("name").GetString()} {m.GetProperty("state").GetString()}")];

    private async Task<IReadOnlyList<string>> StatesAsync(params string[] migrations) =>
        States(JsonDocument.Parse(await GodwitAsync(["migrations", "list", "--output", "json", .. migrations])).RootElement.GetProperty("migrations"));

    /// <summary>What the command writes; it must succeed.</summary>
    private async Task<string> GodwitAsync(params string[] arguments)
    {
        await using var godwit = Program.Start(Path.Combine(AppContext.BaseDirectory, "Godwit.Cli.dll"), arguments, Environment);
        (await godwit.EndAsync(Ct)).ShouldBe(0, $"godwit {string.Join(' ', arguments)}\n{godwit.Output}");
        return godwit.Output;
    }

    [GeneratedRegex("^godwit (?<arguments>.+)$", RegexOptions.Multiline)]
    private static partial Regex Commands();

    [GeneratedRegex(@"Now listening on: http://\S+")]
    private static partial Regex Address();
}
