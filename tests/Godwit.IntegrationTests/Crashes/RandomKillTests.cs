using Godwit.Fixtures;
using Godwit.Metadata.Sqlite;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Crashes;

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
        var godwit = NewGodwit(engine, table);
        for (var kill = 0; kill < Kills; kill++)
        {
            output.WriteLine($"kill {kill + 1}: {await godwit.GoOnAsync(TimeSpan.FromMilliseconds(random.Next(1000, LeaseAndSome)), Token)}");
        }

        output.WriteLine($"last: {await godwit.GoOnAsync(null, Token)}");

        await RequireCompletedAsync(table);
    }

    [Fact]
    public async Task Nothing_is_lost_or_doubled_when_the_server_is_killed()
    {
        var random = Seeded();
        await using var engine = await EngineFixture.StartAsync();
        await using var table = await StressTable.CreateAsync(engine, "MergeTree", 5000, random.Next());
        var godwit = NewGodwit(engine, table);
        var work = godwit.GoOnAsync(null, Token);
        for (var kill = 0; kill < Kills; kill++)
        {
            await Task.Delay(random.Next(500, 3000), Token);
            await engine.KillAsync();
            await engine.RestartAsync();
            if (work.IsCompleted)
            {
                output.WriteLine($"kill {kill + 1}: {await work}");
                work = godwit.GoOnAsync(null, Token);
            }
        }

        output.WriteLine($"last: {await work}");
        output.WriteLine($"once more: {await godwit.GoOnAsync(null, Token)}");

        await RequireCompletedAsync(table);
    }

    private Random Seeded()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"kill: seed {seed}");
        return new Random(seed);
    }

    private GodwitProcess NewGodwit(EngineFixture engine, StressTable table) => new(engine.Url, State, table.Name.ToString(), "--order-by", "(key, shard)");

    private async Task RequireCompletedAsync(StressTable table)
    {
        await using var store = await SqliteStore.OpenAsync(State);
        var run = (await store.ListRunsAsync(Token)).ShouldHaveSingleItem();
        run.State.ShouldBe(RunState.Completed, run.Problem);
        await table.RequireExactAsync();
        output.WriteLine($"kill: {table.Writers.Acknowledged.Count} rows acknowledged, {table.Writers.Unknown.Count} unknown, {table.Writers.Retried} inserts retried");
    }
}
