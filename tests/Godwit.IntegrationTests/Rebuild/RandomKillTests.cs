using System.Diagnostics;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>Godwit, or the server, is killed at random moments of a rebuild under writers; then the run goes on to its end.</summary>
public sealed class RandomKillTests(ITestOutputHelper output) : IDisposable
{
    private const int Kills = 3;

    // Some deaths happen while the dead one's lease is waited for, most of them after it.
    private const int LeaseAndSome = 14_000;
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
        for (var kill = 0; kill < Kills; kill++)
        {
            var godwit = GodwitAsync(engine, table, dieAfter: TimeSpan.FromMilliseconds(random.Next(1000, LeaseAndSome)));
            output.WriteLine($"kill {kill + 1}: {await godwit}");
        }

        output.WriteLine($"last: {await GodwitAsync(engine, table)}");

        await RequireCompletedAsync(table);
    }

    [Fact]
    public async Task Nothing_is_lost_or_doubled_when_the_server_is_killed()
    {
        var random = Seeded();
        await using var engine = await EngineFixture.StartAsync();
        await using var table = await StressTable.CreateAsync(engine, "MergeTree", 5000, random.Next());
        var godwit = GodwitAsync(engine, table);
        for (var kill = 0; kill < Kills; kill++)
        {
            await Task.Delay(random.Next(500, 3000), Token);
            await engine.KillAsync();
            await engine.RestartAsync();
            if (godwit.IsCompleted)
            {
                output.WriteLine($"kill {kill + 1}: {await godwit}");
                godwit = GodwitAsync(engine, table);
            }
        }

        output.WriteLine($"last: {await godwit}");
        if (await FindRunAsync() is not { State: RunState.Completed })
        {
            output.WriteLine($"once more: {await GodwitAsync(engine, table)}");
        }

        await RequireCompletedAsync(table);
    }

    private Random Seeded()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"kill: seed {seed}");
        return new Random(seed);
    }

    // A run that was killed before it was stored is begun anew. Returns what Godwit said last.
    private async Task<string> GodwitAsync(EngineFixture engine, StressTable table, TimeSpan? dieAfter = null)
    {
        var run = await FindRunAsync();
        if (run is { State: RunState.Completed })
        {
            return "was completed before";
        }

        string[] verb = run is null ? ["rebuild", table.Name.ToString(), "--order-by", "(key, shard)", "--yes"] : ["resume", run.RunId];
        var start = new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "Godwit.Cli.dll"), .. verb, "--server", engine.Url.ToString(), "--state", State])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var godwit = Process.Start(start)!;
        var said = Task.WhenAll(godwit.StandardOutput.ReadToEndAsync(Token), godwit.StandardError.ReadToEndAsync(Token));
        try
        {
            await godwit.WaitForExitAsync(Token).WaitAsync(dieAfter ?? Timeout.InfiniteTimeSpan, Token);
        }
        catch (TimeoutException)
        {
            godwit.Kill();
            await godwit.WaitForExitAsync(Token);
        }

        return $"{verb[0]} ended with {godwit.ExitCode}: {(await said).SelectMany(text => text.Split('\n')).LastOrDefault(line => line.Length > 0)}";
    }

    private async Task<RunRecord?> FindRunAsync()
    {
        if (!File.Exists(State))
        {
            return null;
        }

        await using var store = await SqliteStore.OpenAsync(State);
        return (await store.ListRunsAsync(Token)) is [var run, ..] ? run : null;
    }

    private async Task RequireCompletedAsync(StressTable table)
    {
        await using var store = await SqliteStore.OpenAsync(State);
        var run = (await store.ListRunsAsync(Token)).ShouldHaveSingleItem();
        run.State.ShouldBe(RunState.Completed, run.Problem);
        await table.RequireExactAsync();
        output.WriteLine($"kill: {table.Writers.Acknowledged.Count} rows acknowledged, {table.Writers.Unknown.Count} unknown, {table.Writers.Retried} inserts retried");
    }
}
