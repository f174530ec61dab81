using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Kafka;

/// <summary>Tables that a real broker feeds, by a producer that never stops, are rebuilt. The oracle is what the broker has acknowledged.</summary>
public sealed class PauseFeedTests(RealEngine real, RealKafka kafka) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("godwit-feed-");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_message_is_there_once_after_the_cutover_and_after_the_rollback()
    {
        await using var feed = await KafkaFeed.CreateAsync(await kafka.BrokerAsync(), real.Engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        var migrator = new Migrator(feed.Gateway, store);

        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed), ct: Ct);

        status.State.ShouldBe(RunState.Completed, status.Problem);
        status.Strategy.ShouldBe("pause-feed");
        (await feed.KeyAsync(Ct)).ShouldBe("uuid, id");
        await feed.GrowsAsync(Ct);
        status = await migrator.RollbackAsync(status.RunId, ct: Ct);
        status.State.ShouldBe(RunState.RolledBack, status.Problem);
        (await feed.KeyAsync(Ct)).ShouldBe("id");
        await feed.RequireExactAsync(producer, Ct);
    }

    [Fact]
    public async Task Every_message_is_there_once_when_the_broker_dies_while_the_feed_is_held()
    {
        await using var broker = await KafkaFixture.StartAsync();
        await using var feed = await KafkaFeed.CreateAsync(broker, real.Engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        using var network = new Meddler("DETACH TABLE", broker.KillAsync);
        using var gateway = real.Engine.Gateway(network);
        var migrator = new Migrator(gateway, store);

        var run = await PlannedAsync(migrator, feed);
        var work = migrator.RunAsync(run, ct: Ct);
        await Wait.UntilAsync(async () => (await migrator.StatusAsync(run, Ct)).Brake?.StartsWith("The feed goes on when Kafka is back: ", StringComparison.Ordinal) == true, Ct);
        await broker.StartAgainAsync();

        var status = await work;

        status.State.ShouldBe(RunState.Completed, status.Problem);
        await feed.GrowsAsync(Ct);
        await feed.RequireExactAsync(producer, Ct);
    }

    [Fact]
    public async Task A_broker_that_stays_away_for_the_whole_budget_does_not_hold_up_the_run_which_tells_what_may_be_left_to_do()
    {
        await using var broker = await KafkaFixture.StartAsync();
        await using var feed = await KafkaFeed.CreateAsync(broker, real.Engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        using var network = new Meddler("EXCHANGE TABLES", broker.KillAsync);
        using var gateway = real.Engine.Gateway(network);

        var migrator = new Migrator(gateway, store);

        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed, budget: TimeSpan.FromSeconds(5)), ct: Ct);

        status.State.ShouldBe(RunState.Completed, status.Problem);
        status.Errors.ShouldContain(e => e.Message.StartsWith($"Kafka did not answer when {feed.Database}.queue was attached again (", StringComparison.Ordinal));
        await broker.StartAgainAsync();
        await feed.Gateway.ExecuteAsync($"DETACH TABLE {feed.Database}.queue SYNC", ct: Ct);
        await feed.Gateway.ExecuteAsync($"ATTACH TABLE {feed.Database}.queue", ct: Ct);
        await feed.GrowsAsync(Ct);
        await feed.RequireExactAsync(producer, Ct);
    }

    [Fact]
    public async Task Every_message_is_there_once_when_the_server_dies_while_the_feed_is_held()
    {
        await using var engine = await EngineFixture.StartAsync(configuration: KafkaFixture.ClickHouseConfiguration);
        await using var feed = await KafkaFeed.CreateAsync(await kafka.BrokerAsync(), engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        using var network = new Meddler("DETACH TABLE", async () =>
        {
            await engine.KillAsync();
            await engine.RestartAsync();
            (await feed.Gateway.ScalarAsync<long>($"SELECT count() FROM system.tables WHERE database = '{feed.Database}' AND name = 'queue'", ct: Ct)).ShouldBe(0, "it is detached PERMANENTLY");
        });
        using var gateway = engine.Gateway(network);
        var migrator = new Migrator(gateway, store);

        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed), ct: Ct);
        status = status.State == RunState.Completed ? status : await migrator.ResumeAsync(status.RunId, ct: Ct);

        status.State.ShouldBe(RunState.Completed, status.Problem);
        await feed.GrowsAsync(Ct);
        await feed.RequireExactAsync(producer, Ct);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_feed_is_not_held_while_nobody_can_tell_how_far_it_is_behind()
    {
        await using var broker = await KafkaFixture.StartAsync();
        await using var feed = await KafkaFeed.CreateAsync(broker, real.Engine);
        await using var waker = KafkaWaker.Start(real.Engine, feed.Database);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        var migrator = new Migrator(feed.Gateway, store);
        var run = await PlannedAsync(migrator, feed, deferCutover: true);
        var work = migrator.RunAsync(run, ct: Ct);
        await Wait.UntilAsync(async () => (await migrator.StatusAsync(run, Ct)).State == RunState.AwaitingCutover, Ct);

        await broker.KillAsync();
        var cutOver = migrator.CutOverAsync(run, ct: Ct);
        await Wait.UntilAsync(async () => (await migrator.StatusAsync(run, Ct)).Brake?.StartsWith("The feed is not held yet: Where", StringComparison.Ordinal) == true, Ct);
        (await store.GetJournalAsync(run, Ct)).ShouldNotContain(e => e.Name == "hold");
        await broker.StartAgainAsync();

        await cutOver;
        var status = await work;

        status.State.ShouldBe(RunState.Completed, status.Problem);
        await feed.GrowsAsync(Ct);
        await feed.RequireAllAsync(producer, Ct);
    }

    [Fact]
    public async Task A_retention_that_is_too_short_for_the_pause_is_refused_with_the_one_that_is_needed()
    {
        await using var feed = await KafkaFeed.CreateAsync(await kafka.BrokerAsync(), real.Engine);
        await using var store = await StoreAsync();
        var migrator = new Migrator(feed.Gateway, store);
        var wish = new RebuildRequest { Table = new QualifiedName(feed.Database, "events"), OrderBy = "(uuid, id)", Accept = ["kafka-rebalances", "kafka-messages"] };

        var unknown = await migrator.ProposeAsync(wish, new RunOptions(), Ct);
        var known = await migrator.ProposeAsync(wish, new RunOptions { KafkaRetention = TimeSpan.FromMinutes(9) }, Ct);

        unknown.Plan.ShouldBeNull();
        unknown.Checks.Single(c => c.Blocks).Message.ShouldContain("give it with --kafka-retention");
        known.Plan.ShouldBeNull();
        known.Checks.Single(c => c.Blocks).Message.ShouldSatisfyAllConditions(
            m => m.ShouldStartWith($"Topic {feed.Topic} keeps messages for 9 min 0 s, and 10 min 0 s are needed"), m => m.ShouldContain("Set its retention.ms to 600000 or more"));
    }

    internal static async Task<string> PlannedAsync(Migrator migrator, KafkaFeed feed, bool deferCutover = false, TimeSpan? budget = null)
    {
        // The consumer has only just begun, and a broker this old does not tell how long it keeps messages.
        var options = new RunOptions { KafkaRetention = TimeSpan.FromDays(7), DeferCutover = deferCutover, PauseBudget = budget ?? new RunOptions().PauseBudget };
        var wish = new RebuildRequest { Table = new QualifiedName(feed.Database, "events"), OrderBy = "(uuid, id)", Accept = ["kafka-rebalances", "kafka-messages"] };
        var proposal = await migrator.ProposeAsync(wish, options, Ct);
        return await migrator.CreateRunAsync(proposal.Plan.ShouldNotBeNull(string.Join(' ', proposal.Checks.Where(c => c.Blocks).Select(c => c.Message))), options, Ct);
    }

    private async Task<IStore> StoreAsync() => await SqliteStore.OpenAsync(Path.Combine(_folder.FullName, "state.db"), ct: Ct);
}
