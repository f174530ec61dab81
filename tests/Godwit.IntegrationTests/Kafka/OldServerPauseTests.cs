using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Kafka;

/// <summary>A table that a real broker feeds on a server of 2018, which attaches by itself what was detached, and renames where newer ones exchange.</summary>
public sealed class OldServerPauseTests(RealKafka kafka) : IAsyncLifetime
{
    // Of messages that come without a gap it collects a whole block, however long that takes.
    private const string SmallBlocks = "kafka_max_block_size = 500";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("godwit-old-feed-");
    private readonly OldServerFixture _server = new(KafkaFixture.ClickHouseConfiguration);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _server.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Every_message_is_there_once_after_the_cutover_and_after_the_rollback()
    {
        var feed = await KafkaFeed.CreateAsync(await kafka.BrokerAsync(), _server, settings: SmallBlocks);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        var migrator = new Migrator(feed.Gateway, store);

        var status = await migrator.RunAsync(await PauseFeedTests.PlannedAsync(migrator, feed), ct: Ct);

        status.State.ShouldBe(RunState.Completed, status.Problem);
        status.Strategy.ShouldBe("pause-feed");
        status.Cutover!.PausedSeconds.ShouldNotBeNull();
        (await feed.KeyAsync(Ct)).ShouldContain("uuid, id");
        await feed.GrowsAsync(Ct);
        status = await migrator.RollbackAsync(status.RunId, ct: Ct);
        status.State.ShouldBe(RunState.RolledBack, status.Problem);
        (await feed.KeyAsync(Ct)).ShouldBe("id");
        await feed.RequireExactAsync(producer, Ct);
    }

    [Fact]
    public async Task A_feed_that_a_restarted_server_has_let_go_on_is_held_again_before_the_names_change_hands()
    {
        var feed = await KafkaFeed.CreateAsync(await kafka.BrokerAsync(), _server, settings: SmallBlocks);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        using var network = new Meddler("ALTER TABLE", _server.RestartAsync);
        using var gateway = _server.Gateway(network);
        var migrator = new Migrator(gateway, store);

        var status = await migrator.RunAsync(await PauseFeedTests.PlannedAsync(migrator, feed, budget: TimeSpan.FromSeconds(30)), ct: Ct);

        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await store.GetJournalAsync(status.RunId, Ct)).Count(e => e is { Kind: JournalEntryKind.Intent, Name: "hold" }).ShouldBe(2, "it was held, let go on, and held again");
        (await feed.KeyAsync(Ct)).ShouldContain("uuid, id");
        await feed.RequireExactAsync(producer, Ct);
    }

    [Fact]
    public async Task Tables_that_are_dropped_while_a_plan_is_made_do_not_stop_it()
    {
        var database = await _server.NewDatabaseAsync();
        using var gateway = _server.Gateway();
        await gateway.ExecuteAsync($"CREATE TABLE {database}.t (id UInt64, day Date) ENGINE = MergeTree ORDER BY id", ct: Ct);
        await using var store = await StoreAsync();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var others = Task.WhenAll(Enumerable.Range(0, 3).Select(n => ComeAndGoAsync($"{database}.other{n}", end.Token)));

        for (var i = 0; i < 40; i++)
        {
            var proposal = await new Migrator(gateway, store).ProposeAsync(new RebuildRequest { Table = new(database, "t"), OrderBy = "(day, id)", Strategy = "static" }, new RunOptions(), Ct);
            proposal.Plan.ShouldNotBeNull();
        }

        await end.CancelAsync();
        await others;

        async Task ComeAndGoAsync(string table, CancellationToken ct)
        {
            while (!ct.IsCancellationRequested)
            {
                await gateway.ExecuteAsync($"CREATE TABLE {table} (a UInt8) ENGINE = MergeTree ORDER BY a", ct: Ct);
                await gateway.ExecuteAsync($"DROP TABLE {table}", ct: Ct);
            }
        }
    }

    [Fact]
    public async Task A_Kafka_table_that_feeds_other_views_too_is_refused()
    {
        var feed = await KafkaFeed.CreateAsync(await kafka.BrokerAsync(), _server, settings: SmallBlocks);
        await feed.Gateway.ExecuteAsync($"CREATE TABLE {feed.Database}.other (id UInt64) ENGINE = MergeTree ORDER BY id", ct: Ct);
        await feed.Gateway.ExecuteAsync($"CREATE MATERIALIZED VIEW {feed.Database}.others TO {feed.Database}.other AS SELECT id FROM {feed.Database}.queue", ct: Ct);
        await using var store = await StoreAsync();
        var wish = new RebuildRequest { Table = new(feed.Database, "events"), OrderBy = "(uuid, id)", Accept = KafkaFeed.NoBroker };

        var proposal = await new Migrator(feed.Gateway, store).ProposeAsync(wish, new RunOptions(), Ct);

        proposal.Plan.ShouldBeNull();
        proposal.Checks.Single(c => c.Blocks).Message.ShouldContain("feeds other views too, and ClickHouse 18.16.1 can hold views only");
    }

    private async Task<IStore> StoreAsync() => await SqliteStore.OpenAsync(Path.Combine(_folder.FullName, "state.db"), ct: Ct);
}
