using System.Diagnostics;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Godwit.Fixtures;
using Godwit.Metadata.Accounts;
using Godwit.Migrations;
using Godwit.Operations;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>The guide says what is so: its commands are run one after the other, and its table holds every call.</summary>
public sealed partial class GuideTests : IAsyncLifetime
{
    // The guide names a database, so it has an engine of its own.
    private EngineFixture _engine = null!;
    private ServerFixture _server = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static string Guide => Path.Combine(Here(), "..", "..", "..", "docs", "api.md");

    public async ValueTask InitializeAsync()
    {
        _engine = await EngineFixture.StartAsync();
        using var gateway = _engine.Gateway();
        await gateway.ExecuteAsync("CREATE DATABASE analytics ENGINE = Atomic", ct: Ct);
        await gateway.ExecuteAsync("CREATE TABLE analytics.events (timestamp DateTime, team_id UInt32, event String) ENGINE = MergeTree ORDER BY timestamp", ct: Ct);
        await gateway.ExecuteAsync("INSERT INTO analytics.events SELECT toDateTime('2026-01-01') + number, number % 50, 'view' FROM numbers(10000)", ct: Ct);
        _server = await ServerFixture.StartAsync(_engine, new ServerSetup { Migrations = new MigrationSet([new AddCountry()]), AppVersion = "1.43.0" });
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _engine.DisposeAsync();
    }

    [Fact]
    public async Task Its_commands_do_what_it_says()
    {
        var commands = string.Concat(Commands().Matches(await File.ReadAllTextAsync(Guide, Ct)).Select(m => $"{m.Groups["commands"].Value}\n"));
        commands.Split("api ").Length.ShouldBeGreaterThan(20);

        var said = await RunAsync($"set -euo pipefail\n{commands}");

        said.ShouldContain("event: end");
        using var api = await ApiCaller.OfAsync(_server, Role.Operator);
        var runs = (await api.GetAsync("/runs")).Items;
        runs.Select(r => $"{r.GetProperty("migration").GetString()} {r.GetProperty("state").GetString()}").ShouldBe(["0007_country Completed", "rebuild RolledBack"]);
        using var gateway = _engine.Gateway();
        (await gateway.ScalarAsync<long>("SELECT count() FROM analytics.events WHERE country = 'NZ'", ct: Ct)).ShouldBe(10_000);
        (await api.AllAsync("/audit")).Select(e => e.GetProperty("action").GetString()).ShouldBe(["unset", "set", "start", "plan", "rollback", "start", "limit", "plan"]);
    }

    [Fact]
    public async Task Its_table_holds_every_call_and_who_may_make_it()
    {
        using var api = await ApiCaller.OfAsync(_server, Role.Viewer);
        var paths = (await api.GetAsync("/openapi.json")).ShouldBe(HttpStatusCode.OK).Json.GetProperty("paths");
        var lines = paths.EnumerateObject().SelectMany(p => p.Value.EnumerateObject().Select(o =>
            $"| `{o.Name.ToUpperInvariant()} {p.Name["/api/v1".Length..]}` {o.Value.GetProperty("summary").GetString()} | {RoleOf(o.Value)} |")).ToList();
        var table = string.Join('\n', lines) + "\n";
        var text = await File.ReadAllTextAsync(Guide, Ct);
        var begin = text.IndexOf("| call | role |\n|---|---|\n", StringComparison.Ordinal) + "| call | role |\n|---|---|\n".Length;
        if (Environment.GetEnvironmentVariable("GODWIT_APPROVE") == "1")
        {
            await File.WriteAllTextAsync(Guide, text[..begin] + table, Ct);
            return;
        }

        text[begin..].ShouldBe(table);
    }

    private static string RoleOf(JsonElement operation) => RoleName().Match(operation.GetProperty("description").GetString()!) is { Success: true } match ? match.Groups[1].Value : "any";

    private async Task<string> RunAsync(string script)
    {
        var start = new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["GODWIT_URL"] = _server.Url.ToString().TrimEnd('/');
        start.Environment["GODWIT_TOKEN"] = await _server.TokenAsync(Role.Operator);
        start.Environment["no_proxy"] = "*";
        using var process = Process.Start(start)!;
        var (said, wrong) = (process.StandardOutput.ReadToEndAsync(Ct), process.StandardError.ReadToEndAsync(Ct));
        await process.WaitForExitAsync(Ct);
        process.ExitCode.ShouldBe(0, $"{await said}\n{await wrong}");
        return await said;
    }

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

    [GeneratedRegex("^```sh\n(?<commands>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Commands();

    [GeneratedRegex("Takes the role (\\w+)")]
    private static partial Regex RoleName();

    private sealed class AddCountry : Migration
    {
        public override string Name => "0007_country";

        public override string Description => "Events get a country";

        public override IReadOnlyList<Parameter> Parameters => [new("country", ParameterType.Text) { Default = "DE", Help = "Where all the events so far come from" }];

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations(
            new SqlOperation($"ALTER TABLE analytics.events ADD COLUMN IF NOT EXISTS country String DEFAULT '{context.Parameters.Get<string>("country")}'") { Undo = new(["ALTER TABLE analytics.events DROP COLUMN IF EXISTS country"]) });
    }
}
