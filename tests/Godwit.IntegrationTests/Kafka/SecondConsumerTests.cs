using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Kafka;

/// <summary>A table that a real broker feeds gets a second consumer, while a producer never stops. The oracle is what the broker has acknowledged.</summary>
public sealed class SecondConsumerTests(RealEngine real, RealKafka kafka) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("godwit-second-");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_message_is_there_once_after_the_cutover_and_after_the_rollback()
    {
        await using var feed = await KafkaFeed.CreateAsync(await kafka.BrokerAsync(), real.Engine);
        await using var producer = await ProduceAsync(feed);
        await using var store = await StoreAsync();
        var migrator = new Migrator(feed.Gateway, store);

        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed), ct: Ct);

        status.State.ShouldBe(RunState.Completed, status.Problem);
        status.Strategy.ShouldBe("second-consumer");
        status.Cutover!.PausedSeconds.ShouldBe(0);
        (await KeyAsync(feed)).ShouldBe("uuid, id");
        await GrowsAsync(feed);
        await GrowsAsync(feed, $"events_godwit_{status.RunId}");
        status = await migrator.RollbackAsync(status.RunId, ct: Ct);
        status.State.ShouldBe(RunState.RolledBack, status.Problem);
        (await KeyAsync(feed)).ShouldBe("id");
        (await feed.TableAsync()).Group.ShouldBe($"readers of {feed.Topic}");
        (await TablesAsync(feed)).ShouldBe("events feed queue");
        await RequireExactAsync(feed, producer);
    }

    [Fact]
    public async Task After_the_clean_up_only_the_second_consumer_is_left_and_it_has_the_name_of_the_first()
    {
        await using var feed = await KafkaFeed.CreateAsync(await kafka.BrokerAsync(), real.Engine);
        await using var producer = await ProduceAsync(feed);
        await using var store = await StoreAsync();
        var migrator = new Migrator(feed.Gateway, store);
        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed), ct: Ct);

        status = await migrator.CleanUpAsync(status.RunId, ct: Ct);

        status.CleanedUp.ShouldBeTrue(status.Problem);
        (await TablesAsync(feed)).ShouldBe("events feed queue");
        (await feed.TableAsync()).Group.ShouldBe($"readers of {feed.Topic}_godwit_{status.RunId}");
        await RequireExactAsync(feed, producer);
    }

    [Fact]
    public async Task What_is_inserted_beside_Kafka_is_there_once_after_the_cutover_and_after_the_rollback()
    {
        await using var feed = await KafkaFeed.CreateAsync(await kafka.BrokerAsync(), real.Engine);
        await using var producer = await ProduceAsync(feed);
        await using var store = await StoreAsync();
        using var first = new Meddler("INSERT INTO", () => InsertAsync(feed, 1_000_000));
        using var network = new Meddler("EXCHANGE TABLES", () => InsertAsync(feed, 2_000_000)) { InnerHandler = first };
        using var gateway = real.Engine.Gateway(network);
        var migrator = new Migrator(gateway, store);

        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed), ct: Ct);
        await InsertAsync(feed, 3_000_000);

        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await InsertedAsync(feed)).ShouldBe(30);
        status = await migrator.RollbackAsync(status.RunId, ct: Ct);
        status.State.ShouldBe(RunState.RolledBack, status.Problem);
        (await InsertedAsync(feed)).ShouldBe(30);
        await feed.Gateway.ExecuteAsync($"ALTER TABLE {feed.Database}.events DELETE WHERE id >= 1000000 AND toString(uuid) LIKE 'ffffffff%' SETTINGS mutations_sync = 1", ct: Ct);
        await RequireExactAsync(feed, producer);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static Task InsertAsync(KafkaFeed feed, int from) => feed.Gateway.ExecuteAsync(
        $"INSERT INTO {feed.Database}.events SELECT number, toUUID('ffffffff-0000-0000-0000-' || leftPad(toString(number), 12, '0')) FROM numbers({from}, 10)", ct: Ct);

    private static Task<long> InsertedAsync(KafkaFeed feed) =>
        feed.Gateway.ScalarAsync<long>($"SELECT count() FROM {feed.Database}.events WHERE toString(uuid) LIKE 'ffffffff%'", ct: Ct);

    private static async Task<KafkaProducer> ProduceAsync(KafkaFeed feed)
    {
        var producer = KafkaProducer.Start(feed.Broker, feed.Topic, pause: TimeSpan.FromMilliseconds(20));
        await Wait.UntilAsync(async () => await feed.RowsAsync() > 1000, Ct);
        return producer;
    }

    private static async Task<string> PlannedAsync(Migrator migrator, KafkaFeed feed)
    {
        var request = new RebuildRequest { Table = new QualifiedName(feed.Database, "events"), OrderBy = "(uuid, id)", Strategy = "second-consumer" };
        var proposal = await migrator.ProposeAsync(request, new RunOptions(), Ct);
        return await migrator.CreateRunAsync(proposal.Plan.ShouldNotBeNull(string.Join(' ', proposal.Checks.Where(c => c.Blocks).Select(c => c.Message))), new RunOptions(), Ct);
    }

    private static Task<string> KeyAsync(KafkaFeed feed) =>
        feed.Gateway.ScalarAsync<string>($"SELECT sorting_key FROM system.tables WHERE database = '{feed.Database}' AND name = 'events'", ct: Ct);

    private static Task<string> TablesAsync(KafkaFeed feed) =>
        feed.Gateway.ScalarAsync<string>($"SELECT arrayStringConcat(arraySort(groupArray(name)), ' ') FROM system.tables WHERE database = '{feed.Database}'", ct: Ct);

    private static async Task GrowsAsync(KafkaFeed feed, string table = "events")
    {
        var before = await feed.RowsAsync(table);
        await Wait.UntilAsync(async () => await feed.RowsAsync(table) > before + 500, Ct);
    }

    private static async Task RequireExactAsync(KafkaFeed feed, KafkaProducer producer)
    {
        await GrowsAsync(feed);
        await producer.StopAsync();
        await Wait.UntilAsync(async () => (await feed.LagAsync()).Total == 0, Ct);
        var sent = producer.Acknowledged.Count;
        (await feed.RowsAsync()).ShouldBeInRange(sent, sent + producer.Unknown.Count);
        (await feed.Gateway.ScalarAsync<long>($"SELECT uniqExact(uuid) FROM {feed.Database}.events", ct: Ct)).ShouldBe(await feed.RowsAsync(), "no message is there twice");
        var ids = (await feed.Gateway.QueryAsync($"SELECT id FROM {feed.Database}.events", ct: Ct)).Select(r => r.Int64("id")).ToHashSet();
        producer.Acknowledged.Where(id => !ids.Contains(id)).ShouldBeEmpty();
    }

    private async Task<IStore> StoreAsync() => await SqliteStore.OpenAsync(Path.Combine(_folder.FullName, "state.db"), ct: Ct);
}
