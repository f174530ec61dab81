using System.Text.Json;
using Godwit.Fixtures;
using Godwit.IntegrationTests.Kafka;
using Godwit.Pack.PostHog;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>0002 on a real pipeline, whose producer never stops. The oracle is what the broker has acknowledged.</summary>
public sealed class EventsSampleByOnKafkaTests(RealKafka kafka)
{
    private const string Mine = "event = 'sent'";

    // The consumer has only just begun, and a broker this old does not tell how long it keeps messages.
    private static readonly (string, string) Accept = ("accept", "kafka-rebalances kafka-messages kafka-retention");

    [Theory]
    [InlineData("auto", "pause-feed")]
    [InlineData("second-consumer", "second-consumer")]
    public async Task Every_message_is_there_once_after_the_run_and_after_its_rollback(string said, string strategy)
    {
        await using var engine = await EngineFixture.StartAsync(configuration: KafkaFixture.ClickHouseConfiguration);
        using var gateway = engine.Gateway();
        await using var c = await PackCase.NewAsync(gateway, PackCase.Old);
        var broker = await kafka.BrokerAsync();
        await FeedAsync(c, broker, $"events_{strategy[0]}");
        await using var producer = KafkaProducer.Start(broker, $"events_{strategy[0]}", Line, pause: TimeSpan.FromMilliseconds(20));
        await GrowsAsync(c);
        var migration = new EventsSampleBy();

        var run = await c.RunAsync(migration, ("strategy", said), Accept);

        run.State.ShouldBe(RunState.Completed, run.Problem);
        run.Strategy.ShouldBe(strategy);
        run.Findings.Single().ShouldContain(strategy == "second-consumer" ? $"posthog.events_godwit_{run.RunId}" : "posthog.events_backup_0002_events_sample_by");
        await RequireOnceAsync(c, producer);
        (await c.AskAsync<string>("SELECT sampling_key FROM system.tables WHERE database = 'posthog' AND name = 'events'")).ShouldBe("cityHash64(distinct_id)");
        var back = await c.RollbackAsync(migration, run.RunId);
        back.State.ShouldBe(RunState.RolledBack, back.Problem);
        (await c.AskAsync<string>("SELECT sampling_key FROM system.tables WHERE database = 'posthog' AND name = 'events'")).ShouldBe("");
        await RequireExactAsync(c, producer);
    }

    private static async Task FeedAsync(PackCase c, KafkaFixture broker, string topic)
    {
        await broker.CreateTopicAsync(topic);
        await c.SqlAsync(
            "DROP TABLE posthog.events_mv SYNC",
            "DROP TABLE posthog.kafka_events SYNC",
            $"""
             CREATE TABLE posthog.kafka_events (uuid UUID, event String, properties String, timestamp DateTime64(6, 'UTC'), team_id Int64, distinct_id String, elements_chain String, created_at DateTime64(6, 'UTC'))
             ENGINE = Kafka('{broker.Address}', '{topic}', 'group1 of {topic}', 'JSONEachRow') SETTINGS kafka_flush_interval_ms = 300, kafka_skip_broken_messages = 100
             """,
            "CREATE MATERIALIZED VIEW posthog.events_mv TO posthog.events AS SELECT uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, toDateTime(timestamp) AS _timestamp, _offset FROM posthog.kafka_events");
    }

    private static Task<long> CountAsync(PackCase c) => c.AskAsync<long>($"SELECT count() FROM posthog.events FINAL WHERE {Mine}");

    private static async Task<HashSet<Guid>> UuidsAsync(PackCase c) =>
        [.. (await c.Gateway.QueryAsync($"SELECT uuid FROM posthog.events WHERE {Mine}", ct: PackCase.Ct)).Select(r => Guid.Parse(r["uuid"], System.Globalization.CultureInfo.InvariantCulture))];

    private static async Task GrowsAsync(PackCase c)
    {
        var before = await CountAsync(c);
        await Wait.UntilAsync(async () => await CountAsync(c) > before + 500, PackCase.Ct);
    }

    // While the producer goes on: what it has sent so far.
    private static async Task RequireOnceAsync(PackCase c, KafkaProducer producer)
    {
        var sent = producer.Acknowledged.Select(KafkaProducer.Uuid).ToHashSet();
        await Wait.UntilAsync(async () => sent.IsSubsetOf(await UuidsAsync(c)), PackCase.Ct);
        (await c.AskAsync<string>($"SELECT concat(toString(count() - uniqExact(uuid)), ' ', any(`$session_id`)) FROM posthog.events FINAL WHERE {Mine}")).ShouldBe("0 s1");
        (await c.AskAsync<long>("SELECT count() FROM system.tables WHERE database = 'posthog' AND name IN ('kafka_events', 'events_mv')")).ShouldBe(2);
    }

    private static async Task RequireExactAsync(PackCase c, KafkaProducer producer)
    {
        await GrowsAsync(c);
        await producer.StopAsync();
        await RequireOnceAsync(c, producer);
        (await CountAsync(c)).ShouldBeInRange(producer.Acknowledged.Count, producer.Acknowledged.Count + producer.Unknown.Count);
    }

    private static string Line(long id) => JsonSerializer.Serialize(new
    {
        uuid = KafkaProducer.Uuid(id),
        @event = "sent",
        properties = """{"$session_id":"s1"}""",
        timestamp = id % 2 == 0 ? "2019-01-05 00:00:00.000000" : "2026-11-01 00:00:00.000000",
        team_id = id % 4,
        distinct_id = $"d{id % 50}",
        elements_chain = "",
        created_at = "2026-11-02 00:00:00.000000",
    });
}
