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
public sealed class SecondConsumerTests(RealEngine real, RealKafka kafka) : SecondConsumerCase(real, kafka)
{
    [Fact]
    public async Task Every_message_is_there_once_after_the_cutover_and_after_the_rollback()
    {
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        var migrator = new Migrator(feed.Gateway, store);

        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed), ct: Ct);

        status.State.ShouldBe(RunState.Completed, status.Problem);
        status.Strategy.ShouldBe("second-consumer");
        status.Cutover!.PausedSeconds.ShouldNotBeNull();
        (await feed.KeyAsync(Ct)).ShouldBe("uuid, id");
        await feed.GrowsAsync(Ct);
        await feed.GrowsAsync(Ct, $"events_godwit_{status.RunId}");
        status = await migrator.RollbackAsync(status.RunId, ct: Ct);
        status.State.ShouldBe(RunState.RolledBack, status.Problem);
        (await feed.KeyAsync(Ct)).ShouldBe("id");
        (await feed.TableAsync()).Group.ShouldBe($"readers of {feed.Topic}");
        (await TablesAsync(feed)).ShouldBe("events feed queue");
        await feed.RequireExactAsync(producer, Ct);
    }

    [Fact]
    public async Task While_it_waits_for_a_person_the_second_consumer_alone_brings_what_is_new()
    {
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        var migrator = new Migrator(feed.Gateway, store);
        var runId = await PlannedAsync(migrator, feed, options: new RunOptions { DeferCutover = true });
        var run = migrator.RunAsync(runId, ct: Ct);
        await Wait.UntilAsync(async () => (await migrator.StatusAsync(runId, Ct)).State == RunState.AwaitingCutover, Ct);
        for (var i = 0; i < 3; i++)
        {
            await feed.GrowsAsync(Ct, $"events_godwit_{runId}");
        }

        await migrator.CutOverAsync(runId, ct: Ct);

        (await run).State.ShouldBe(RunState.Completed, (await run).Problem);
        (await store.GetJournalAsync(runId, Ct)).ShouldNotContain(e => e.Name.StartsWith("round/", StringComparison.Ordinal));
        await feed.RequireExactAsync(producer, Ct);
    }

    [Fact]
    public async Task While_its_merges_are_held_the_new_table_takes_more_parts_than_it_may_have_otherwise()
    {
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine);
        await feed.Gateway.ExecuteAsync($"ALTER TABLE {feed.Database}.events MODIFY SETTING parts_to_throw_insert = 20, parts_to_delay_insert = 1000", ct: Ct);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        var migrator = new Migrator(feed.Gateway, store);
        var runId = await PlannedAsync(migrator, feed, options: new RunOptions { DeferCutover = true });
        var run = migrator.RunAsync(runId, ct: Ct);
        var parts = $"SELECT count() FROM system.parts WHERE database = '{feed.Database}' AND table = 'events_godwit_{runId}' AND active";
        await Wait.UntilAsync(async () => await feed.Gateway.ScalarAsync<long>(parts, ct: Ct) > 25, Ct);
        await Wait.UntilAsync(async () => (await migrator.StatusAsync(runId, Ct)).State == RunState.AwaitingCutover, Ct);

        await migrator.CutOverAsync(runId, ct: Ct);

        (await run).State.ShouldBe(RunState.Completed, (await run).Problem);
        await Wait.UntilAsync(async () => await feed.Gateway.ScalarAsync<long>(parts.Replace($"_godwit_{runId}", "", StringComparison.Ordinal), ct: Ct) < 20, Ct);
        var cleaned = await migrator.CleanUpAsync(runId, ct: Ct);
        cleaned.CleanedUp.ShouldBeTrue(cleaned.Problem);
        var settings = await feed.Gateway.ScalarAsync<string>($"SELECT engine_full FROM system.tables WHERE database = '{feed.Database}' AND name = 'events'", ct: Ct);
        settings.ShouldContain("parts_to_delay_insert = 1000, parts_to_throw_insert = 20");
        await feed.RequireExactAsync(producer, Ct);
    }

    [Fact]
    public async Task A_Distributed_table_between_gets_its_like_and_every_message_is_there_once()
    {
        await using var feed = await SpreadAsync("alone");
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        var migrator = new Migrator(feed.Gateway, store);

        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed), ct: Ct);

        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await store.GetJournalAsync(status.RunId, Ct)).ShouldContain(e => e.Name == "flush", "the blocks under way were waited for");
        await feed.GrowsAsync(Ct);
        await feed.GrowsAsync(Ct, $"events_godwit_{status.RunId}");
        status = await migrator.RollbackAsync(status.RunId, ct: Ct);
        status.State.ShouldBe(RunState.RolledBack, status.Problem);
        (await TablesAsync(feed)).ShouldBe("events feed queue spread");
        await feed.GrowsAsync(Ct);
        status = await migrator.RunAsync(await PlannedAsync(migrator, feed), ct: Ct);
        (await migrator.CleanUpAsync(status.RunId, ct: Ct)).CleanedUp.ShouldBeTrue();
        (await TablesAsync(feed)).ShouldBe("events feed queue spread");
        await feed.RequireExactAsync(producer, Ct);
    }

    [Fact]
    public async Task After_the_clean_up_only_the_second_consumer_is_left_and_it_has_the_name_of_the_first()
    {
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        var migrator = new Migrator(feed.Gateway, store);
        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed), ct: Ct);

        status = await migrator.CleanUpAsync(status.RunId, ct: Ct);

        status.CleanedUp.ShouldBeTrue(status.Problem);
        (await TablesAsync(feed)).ShouldBe("events feed queue");
        (await feed.TableAsync()).Group.ShouldBe($"readers of {feed.Topic}_godwit_{status.RunId}");
        await feed.RequireExactAsync(producer, Ct);
    }

    [Fact]
    public async Task What_is_inserted_beside_Kafka_is_there_once_after_the_cutover_and_after_the_rollback()
    {
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        using var first = new Meddler("INSERT INTO", () => InsertAsync(feed, 1_000_000));
        using var network = new Meddler("EXCHANGE TABLES", () => InsertAsync(feed, 2_000_000)) { InnerHandler = first };
        using var gateway = Real.Engine.Gateway(network);
        var migrator = new Migrator(gateway, store);

        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed), ct: Ct);
        await InsertAsync(feed, 3_000_000);

        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await InsertedAsync(feed)).ShouldBe(30);
        status = await migrator.RollbackAsync(status.RunId, ct: Ct);
        status.State.ShouldBe(RunState.RolledBack, status.Problem);
        (await InsertedAsync(feed)).ShouldBe(30);
        await feed.Gateway.ExecuteAsync($"ALTER TABLE {feed.Database}.events DELETE WHERE id >= 1000000 AND toString(uuid) LIKE 'ffffffff%' SETTINGS mutations_sync = 1", ct: Ct);
        await feed.RequireExactAsync(producer, Ct);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_column_that_is_filled_when_a_row_is_stored_needs_to_be_accepted(bool isAccepted)
    {
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine);
        await feed.Gateway.ExecuteAsync($"ALTER TABLE {feed.Database}.events ADD COLUMN stored DateTime64(9) DEFAULT now64(9)", ct: Ct);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        var migrator = new Migrator(feed.Gateway, store);

        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed, r => r with { Accept = isAccepted ? ["row-values"] : [] }), ct: Ct);

        status.State.ShouldBe(isAccepted ? RunState.Completed : RunState.Failed, status.Problem);
        (status.Problem ?? "").Contains("start again with --accept row-values", StringComparison.Ordinal).ShouldBe(!isAccepted);
    }

    [Theory]
    [InlineData("ReplacingMergeTree(id)")]
    [InlineData("ReplacingMergeTree")]
    public async Task A_table_whose_merges_replace_rows_has_every_message_once_with_FINAL(string engine)
    {
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine, hasView: false);
        await feed.Gateway.ExecuteAsync($"DROP TABLE {feed.Database}.events SYNC", ct: Ct);
        await feed.Gateway.ExecuteAsync($"CREATE TABLE {feed.Database}.events (id UInt64, uuid UUID) ENGINE = {engine} ORDER BY (id, cityHash64(uuid))", ct: Ct);
        await feed.AddViewAsync();
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        var migrator = new Migrator(feed.Gateway, store);

        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed, r => r with { Accept = ["versionless-replacing", "key-identity"] }), ct: Ct);

        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await feed.KeyAsync(Ct)).ShouldBe("uuid, id");
        status = await migrator.RollbackAsync(status.RunId, ct: Ct);
        status.State.ShouldBe(RunState.RolledBack, status.Problem);
        await feed.RequireAllAsync(producer, Ct);
        (await feed.RowsAsync("events FINAL")).ShouldBeInRange(producer.Acknowledged.Count, producer.Acknowledged.Count + producer.Unknown.Count);
    }

    private static Task InsertAsync(KafkaFeed feed, int from) => feed.Gateway.ExecuteAsync(
        $"INSERT INTO {feed.Database}.events SELECT number, toUUID('ffffffff-0000-0000-0000-' || leftPad(toString(number), 12, '0')) FROM numbers({from}, 10)", ct: Ct);

    private static Task<long> InsertedAsync(KafkaFeed feed) =>
        feed.Gateway.ScalarAsync<long>($"SELECT count() FROM {feed.Database}.events WHERE toString(uuid) LIKE 'ffffffff%'", ct: Ct);
}
