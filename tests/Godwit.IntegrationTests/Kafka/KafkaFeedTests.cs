using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Kafka;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Kafka;

/// <summary>A real broker, a real Kafka table, and what Godwit sees of both.</summary>
public sealed class KafkaFeedTests(RealKafka kafka, RealEngine real)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_lag_of_a_table_is_seen_and_goes_to_zero()
    {
        await using var feed = await NewAsync(hasView: false);
        await KafkaProducer.WriteAsync(feed.Broker, feed.Topic, 1, 2_500);

        var behind = await feed.LagAsync();

        behind.Total.ShouldBe(2_500);
        behind.Partitions.Select(p => (p.Partition.Number, p.Committed, p.Earliest, p.End)).ShouldBe([(0, null, 0L, 1_500L), (1, null, 0L, 1_000L)]);
        behind.Partitions.ShouldAllBe(p => p.OldestRetained == null && p.OldestUnread == null, "messages of 0.9 carry no times");
        behind.Retentions.ShouldBe(new Dictionary<string, KafkaRetention?> { [feed.Topic] = null });

        await feed.AddViewAsync();
        await Wait.UntilAsync(async () => (await feed.LagAsync()).Total == 0, Ct);

        (await feed.RowsAsync()).ShouldBe(2_500);
        var consumer = (await feed.ConsumersAsync()).ShouldHaveSingleItem();
        consumer.Partitions.ShouldBe(2);
        consumer.LastPoll.ShouldNotBeNull();
        consumer.LastCommit.ShouldNotBeNull();
        consumer.LastRebalance.ShouldBeNull();
        consumer.LastException.ShouldBeNull();
    }

    [Fact]
    public async Task A_second_group_starts_exactly_where_the_first_one_stands()
    {
        await using var feed = await NewAsync();
        await using var producer = KafkaProducer.Start(feed.Broker, feed.Topic);
        await Wait.UntilAsync(async () => await feed.RowsAsync() > 0, Ct);
        await feed.Gateway.ExecuteAsync($"DETACH TABLE {feed.Database}.queue", ct: Ct);
        await feed.Gateway.ExecuteAsync($"ATTACH TABLE {feed.Database}.queue", ct: Ct);
        var first = await feed.TableAsync();
        await feed.Gateway.ExecuteAsync($"DETACH TABLE {feed.Database}.queue", ct: Ct);
        var partitions = await feed.Client.PartitionsAsync(first.Topics, Ct);
        var committed = await feed.Client.CommittedAsync(first.Group, partitions, Ct);
        committed.Values.Sum().ShouldBe(await feed.RowsAsync(), "a Kafka table that is detached has stored and committed what it began");

        await feed.Client.CommitAsync("second of " + feed.Topic, committed, Ct);
        (await feed.Client.CommittedAsync("second of " + feed.Topic, partitions, Ct)).ShouldBe(committed, ignoreOrder: true);
        await feed.Gateway.ExecuteAsync(first.CreateSql(new QualifiedName(feed.Database, "queue2"), "second of " + feed.Topic).ShouldNotBeNull(), ct: Ct);
        await feed.Gateway.ExecuteAsync($"CREATE TABLE {feed.Database}.events2 AS {feed.Database}.events", ct: Ct);
        await feed.Gateway.ExecuteAsync($"CREATE MATERIALIZED VIEW {feed.Database}.feed2 TO {feed.Database}.events2 AS SELECT id, uuid FROM {feed.Database}.queue2", ct: Ct);
        await producer.StopAsync();
        await Wait.UntilAsync(async () => (await feed.LagAsync("queue2")).Total == 0, Ct);

        (await feed.RowsAsync() + await feed.RowsAsync("events2")).ShouldBe(producer.Acknowledged.Count);
        (await feed.Gateway.ScalarAsync<long>($"SELECT uniqExact(id) FROM (SELECT id FROM {feed.Database}.events UNION ALL SELECT id FROM {feed.Database}.events2)", ct: Ct))
            .ShouldBe(producer.Acknowledged.Count);
    }

    [Fact]
    public async Task The_offsets_of_a_group_that_reads_cannot_be_set()
    {
        await using var feed = await NewAsync();
        await KafkaProducer.WriteAsync(feed.Broker, feed.Topic, 1, 10);
        await Wait.UntilAsync(async () => await feed.RowsAsync() == 10, Ct);
        var table = await feed.TableAsync();

        var refused = await Should.ThrowAsync<KafkaException>(feed.Client.CommitAsync(table.Group, new Dictionary<KafkaPartition, long> { [new(feed.Topic, 0)] = 0 }, Ct));

        refused.Message.ShouldStartWith($"The offsets of group readers of {feed.Topic} cannot be set on {feed.Broker.Address}: somebody is reading in it.");
    }

    [Fact]
    public async Task A_view_that_was_detached_is_written_through_until_the_consumer_is_idle()
    {
        await using var feed = await NewAsync(settings: "kafka_flush_interval_ms = 2000");
        await using var producer = KafkaProducer.Start(feed.Broker, feed.Topic);
        await Wait.UntilAsync(async () => await feed.RowsAsync() > 0, Ct);
        await Wait.UntilAsync(async () => (await feed.ConsumersAsync()).Any(c => c.IsBusy), Ct);

        await feed.Gateway.ExecuteAsync($"DETACH TABLE {feed.Database}.feed", ct: Ct);
        await Wait.UntilAsync(async () => (await feed.ConsumersAsync()).All(c => !c.IsBusy), Ct);
        var held = await feed.RowsAsync();
        var written = producer.Acknowledged.Count;
        await Wait.UntilAsync(() => producer.Acknowledged.Count > written + 500, Ct);

        (await feed.RowsAsync()).ShouldBe(held);
        (await feed.LagAsync()).Partitions.Sum(p => p.Committed).ShouldBe(held);
    }

    [Fact]
    public async Task A_message_that_cannot_be_parsed_is_seen_with_its_place()
    {
        await using var feed = await NewAsync();
        await KafkaProducer.WriteAsync(feed.Broker, feed.Topic, 1, 10);
        await Wait.UntilAsync(async () => await feed.RowsAsync() == 10, Ct);
        await KafkaProducer.WriteAsync(feed.Broker, feed.Topic, 11, 1, _ => "{broken");
        await Wait.UntilAsync(async () => (await feed.ConsumersAsync()).Any(c => c.LastException is not null), Ct);

        var result = (await CheckAsync(feed, TimeSpan.FromHours(1))).Single(r => r.Check == "kafka-messages");

        result.Verdict.ShouldBe(CheckVerdict.Refused);
        result.Message.ShouldStartWith($"{feed.Queue} is held up by a message that it cannot parse: ");
        result.Message.ShouldContain($"(topic: {feed.Topic}, partition: 0, offset: 10)");
        result.Message.ShouldNotContain("@ 0x", customMessage: "a stack trace is for nobody");
    }

    [Fact]
    public async Task A_broker_that_does_not_tell_its_retention_needs_a_person_to_name_it()
    {
        await using var feed = await NewAsync();
        await KafkaProducer.WriteAsync(feed.Broker, feed.Topic, 1, 10);
        await Wait.UntilAsync(async () => (await feed.LagAsync()).Total == 0, Ct);

        (await CheckAsync(feed, null)).Single(r => r.Blocks).ShouldBe(new CheckResult(
            "kafka-retention",
            CheckVerdict.Unreadable,
            $"Kafka does not tell how long it keeps the messages of topic {feed.Topic} (brokers do from 0.11 on, and only who may ask). Look up its retention.ms and give it with --kafka-retention, if it is enough."));
        (await CheckAsync(feed, TimeSpan.FromHours(1))).ShouldAllBe(r => r.Verdict == CheckVerdict.Ok);
        (await CheckAsync(feed, TimeSpan.FromMinutes(1))).Single(r => r.Blocks).Message.ShouldContain("Set its retention.ms to 600000 or more");
    }

    [Fact]
    public async Task A_topic_that_does_not_exist_is_told_and_not_made()
    {
        await using var feed = await NewAsync(hasView: false);

        (await Should.ThrowAsync<KafkaException>(feed.Client.PartitionsAsync(["nothing of " + feed.Topic], Ct))).Message
            .ShouldBe($"{feed.Broker.Address} did not tell the partitions of topic nothing of {feed.Topic}: there is no such topic or partition (error 3).");
    }

    [Fact]
    public async Task An_old_broker_is_known_as_one() => (await KafkaVersion.ReadAsync((await kafka.BrokerAsync()).Address, Ct)).ShouldBe(("0.9.0", null));

    private async Task<KafkaFeed> NewAsync(bool hasView = true, string settings = "kafka_flush_interval_ms = 300") =>
        await KafkaFeed.CreateAsync(await kafka.BrokerAsync(), real.Engine, hasView, settings);

    private static async Task<IReadOnlyList<CheckResult>> CheckAsync(KafkaFeed feed, TimeSpan? retention) => await KafkaChecks.RunAsync(
        feed.Gateway,
        await Capabilities.ProbeAsync(feed.Gateway, Ct),
        await feed.TableAsync(),
        new KafkaGateOptions { Pause = TimeSpan.FromMinutes(5), Retention = retention },
        TimeProvider.System,
        Ct);
}
