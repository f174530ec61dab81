using System.Diagnostics;
using Godwit.Metadata.Sqlite;
using Godwit.Runs;
using Godwit.Testing;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>Godwit, or the server, is killed at random moments of a rebuild under writers; then the run goes on to its end.</summary>
public sealed class RandomKillTests(ITestOutputHelper output) : IDisposable
{
    private const int Kills = 3;
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-kill-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string State => Path.Combine(_folder, "state.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Nothing_is_lost_or_doubled_when_Godwit_is_killed()
    {
        var random = Seeded();
        await using var engine = await EngineFixture.StartAsync();
        await using var table = await StressTable.CreateAsync(engine, "MergeTree", 5000, random.Next());
        string? run = null;
        for (var kill = 0; kill < Kills; kill++)
        {
            using var godwit = Start(engine, run, table);
            await Task.Delay(random.Next(500, 4000), Token);
            godwit.Kill();
            await godwit.WaitForExitAsync(Token);
            run ??= await FindRunAsync();
        }

        using var last = Start(engine, run, table);
        await last.WaitForExitAsync(Token);

        await RequireCompletedAsync(table);
    }

    [Fact]
    public async Task Nothing_is_lost_or_doubled_when_the_server_is_killed()
    {
        var random = Seeded();
        await using var engine = await EngineFixture.StartAsync();
        await using var table = await StressTable.CreateAsync(engine, "MergeTree", 5000, random.Next());
        using var godwit = Start(engine, null, table);
        for (var kill = 0; kill < Kills && !godwit.HasExited; kill++)
        {
            await Task.Delay(random.Next(1000, 4000), Token);
            await engine.KillAsync();
            await engine.RestartAsync();
        }

        await godwit.WaitForExitAsync(Token);
        for (var attempt = 0; attempt < Kills && godwit.ExitCode != 0 && await FindRunAsync() is { } run; attempt++)
        {
            using var again = Start(engine, run, table);
            await again.WaitForExitAsync(Token);
        }

        await RequireCompletedAsync(table);
    }

    private Random Seeded()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"kill: seed {seed}");
        return new Random(seed);
    }

    // A run that was killed before it was stored is begun anew.
    private Process Start(EngineFixture engine, string? run, StressTable table)
    {
        string[] verb = run is null ? ["rebuild", table.Name.ToString(), "--order-by", "(key, shard)", "--yes"] : ["resume", run];
        return Process.Start(new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "Godwit.Cli.dll"), .. verb, "--server", engine.Url.ToString(), "--state", State, "--output", "json"]))!;
    }

    private async Task<string?> FindRunAsync()
    {
        if (!File.Exists(State))
        {
            return null;
        }

        await using var store = await SqliteRunStore.OpenAsync(State);
        return (await store.ListRunsAsync(Token)) is [var run, ..] ? run.RunId : null;
    }

    private async Task RequireCompletedAsync(StressTable table)
    {
        await using var store = await SqliteRunStore.OpenAsync(State);
        var run = (await store.ListRunsAsync(Token)).ShouldHaveSingleItem();
        run.State.ShouldBe(RunState.Completed, run.Problem);
        await table.RequireExactAsync();
        output.WriteLine($"kill: {table.Writers.Acknowledged.Count} rows acknowledged, {table.Writers.Unknown.Count} unknown, {table.Writers.Retried} inserts retried");
    }
}
