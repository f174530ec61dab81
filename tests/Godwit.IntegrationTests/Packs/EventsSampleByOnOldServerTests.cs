using System.Text.Json;
using Godwit.Fixtures;
using Godwit.IntegrationTests.Kafka;
using Godwit.Pack.PostHog;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>0002 on a server of 2018 and a real broker, whose producer never stops: whole partitions are copied, names are renamed.</summary>
public sealed class EventsSampleByOnOldServerTests(RealKafka kafka)
{
    private const string Topic = "events_2018";
    private const string Key = "team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid)";

    [Fact]
    public async Task Every_message_is_there_once_after_the_run_and_after_its_rollback()
    {
        await using var server = new OldServerFixture(KafkaFixture.ClickHouseConfiguration);
        await server.StartAsync();
        using var gateway = server.Gateway();
        await using var c = await PackCase.NewAsync(gateway, PackCase.Schema("old-2018"));
        var broker = await kafka.BrokerAsync();
        await FeedAsync(c, broker);
        await using var producer = KafkaProducer.Start(broker, Topic, Line, pause: TimeSpan.FromMilliseconds(20));
        await GrowsAsync(c);
        var migration = new EventsSampleBy();

        var run = await c.RunAsync(migration, ("accept", string.Join(' ', KafkaFeed.NoBroker)));

        run.State.ShouldBe(RunState.Completed, run.Problem);
        run.Strategy.ShouldBe("pause-feed");
        run.Findings.Single().ShouldContain("posthog.events_backup_0002_events_sample_by");
        (await EngineAsync(c)).ShouldContain($"ORDER BY ({Key})");
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM system.tables WHERE database = 'posthog' AND name = 'events_backup_0002_events_sample_by'")).ShouldBe(1);
        await RequireOnceAsync(c, producer);
        await GrowsAsync(c);
        var back = await c.RollbackAsync(migration, run.RunId);
        back.State.ShouldBe(RunState.RolledBack, back.Problem);
        (await EngineAsync(c)).ShouldContain("ORDER BY (team_id, toDate(timestamp), distinct_id, uuid)");
        await GrowsAsync(c);
        await producer.StopAsync();
        await RequireOnceAsync(c, producer);
    }

    // Without materialized columns: through a view such a server does not compute them ("Expected column").
    private static async Task FeedAsync(PackCase c, KafkaFixture broker)
    {
        await broker.CreateTopicAsync(Topic);
        await c.SqlAsync(
            "DROP TABLE posthog.events_mv",
            "DROP TABLE posthog.kafka_events",
            "DROP TABLE posthog.events",
            """
            CREATE TABLE posthog.events (
                uuid String, event String, properties String, timestamp DateTime, team_id Int64, distinct_id String, elements_chain String, created_at DateTime, _timestamp DateTime, _offset UInt64
            ) ENGINE = ReplacingMergeTree(_timestamp) PARTITION BY toYYYYMM(timestamp) ORDER BY (team_id, toDate(timestamp), distinct_id, uuid)
            """,
            $"""
             CREATE TABLE posthog.kafka_events (uuid String, event String, properties String, timestamp DateTime, team_id Int64, distinct_id String, elements_chain String, created_at DateTime)
             ENGINE = Kafka('{broker.Address}', '{Topic}', 'group1 of {Topic}', 'JSONEachRow') SETTINGS kafka_max_block_size = 500
             """,
            "CREATE MATERIALIZED VIEW posthog.events_mv TO posthog.events AS SELECT uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, timestamp AS _timestamp, toUInt64(0) AS _offset FROM posthog.kafka_events");
    }

    private static Task<string> EngineAsync(PackCase c) => c.AskAsync<string>("SELECT engine_full FROM system.tables WHERE database = 'posthog' AND name = 'events'");

    private static async Task<HashSet<Guid>> UuidsAsync(PackCase c) =>
        [.. (await c.Gateway.QueryAsync("SELECT uuid FROM posthog.events", ct: PackCase.Ct)).Select(r => Guid.Parse(r["uuid"], System.Globalization.CultureInfo.InvariantCulture))];

    private static async Task GrowsAsync(PackCase c)
    {
        var before = (await UuidsAsync(c)).Count;
        await Wait.UntilAsync(async () => (await UuidsAsync(c)).Count > before + 500, PackCase.Ct);
    }

    private static async Task RequireOnceAsync(PackCase c, KafkaProducer producer)
    {
        var sent = producer.Acknowledged.Select(KafkaProducer.Uuid).ToHashSet();
        await Wait.UntilAsync(async () => sent.IsSubsetOf(await UuidsAsync(c)), PackCase.Ct);
        (await c.AskAsync<string>("SELECT toString(count() - uniqExact(uuid)) FROM posthog.events FINAL")).ShouldBe("0");
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM system.tables WHERE database = 'posthog' AND name IN ('kafka_events', 'events_mv')")).ShouldBe(2);
    }

    private static string Line(long id) => JsonSerializer.Serialize(new
    {
        uuid = KafkaProducer.Uuid(id),
        @event = "sent",
        properties = "{}",
        timestamp = id % 2 == 0 ? "2019-01-05 00:00:00" : "2026-11-01 00:00:00",
        team_id = id % 4,
        distinct_id = $"d{id % 50}",
        elements_chain = "",
        created_at = "2026-11-02 00:00:00",
    });
}
