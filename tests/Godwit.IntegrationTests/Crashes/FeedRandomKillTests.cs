using Godwit.Fixtures;
using Godwit.IntegrationTests.Kafka;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>Godwit, the server and the broker are killed at random moments of the rebuild of a table that Kafka feeds; then the run goes on to its end.</summary>
public sealed class FeedRandomKillTests(ITestOutputHelper output) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-feed-kill-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // A consumer that is cut off between storing and committing reads a block again, with Godwit and without.
    [Theory]
    [InlineData("pause-feed", "kafka-messages", "kafka-rebalances", "kafka-retention")]
    [InlineData("second-consumer")]
    public async Task No_message_is_lost(string strategy, params string[] accept)
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var broker = await KafkaFixture.StartAsync();
        await using var engine = await EngineFixture.StartAsync(configuration: KafkaFixture.ClickHouseConfiguration);
        await using var feed = await KafkaFeed.CreateAsync(broker, engine);
        await using var waker = KafkaWaker.Start(engine, feed.Database);
        await using var producer = await feed.ProduceAsync(Token);
        await feed.Gateway.ExecuteAsync($"INSERT INTO {feed.Database}.events SELECT number + 1000000000, generateUUIDv4() FROM numbers(200000)", ct: Token);
        var godwit = new GodwitProcess(
            engine.Url,
            Path.Combine(_folder, "state.db"),
            [$"{feed.Database}.events", "--order-by", "(uuid, id)", "--strategy", strategy, "--max-rows-per-second", "30000", .. accept.SelectMany(a => new[] { "--accept", a })]);

        var work = godwit.GoOnAsync(TimeSpan.FromMilliseconds(random.Next(2000, 12000)), Token);
        foreach (var restartAsync in random.GetItems(new Func<Task>[] { KillEngineAsync, broker.RestartAsync }, 4))
        {
            await Task.Delay(random.Next(500, 4000), Token);
            await restartAsync();
            if (work.IsCompleted)
            {
                output.WriteLine($"killed: {await work}");
                work = godwit.GoOnAsync(null, Token);
            }
        }

        output.WriteLine($"went on: {await work}");
        for (var attempt = 0; attempt < 3 && await godwit.FindRunAsync() is not { State: RunState.Completed }; attempt++)
        {
            output.WriteLine($"once more: {await godwit.GoOnAsync(null, Token)}");
        }

        var run = (await godwit.FindRunAsync())!;
        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await feed.KeyAsync(Token)).ShouldBe("uuid, id");
        await feed.RequireAllAsync(producer, Token);

        async Task KillEngineAsync()
        {
            await engine.KillAsync();
            await engine.RestartAsync();
        }
    }
}
