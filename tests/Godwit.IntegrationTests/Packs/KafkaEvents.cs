using System.Text.Json;
using Godwit.Fixtures;
using Shouldly;

namespace Godwit.IntegrationTests.Packs;

/// <summary>PostHog's events, fed by a real broker, as a server of 2018 can have them.</summary>
internal static class KafkaEvents
{
    /// <summary>Makes the table, without materialized columns: through a view such a server does not compute them ("Expected column").</summary>
    /// <returns>The topic that feeds it.</returns>
    public static async Task<string> FeedAsync(PackCase c, KafkaFixture broker)
    {
        var topic = $"events_{Guid.NewGuid():N}";
        await broker.CreateTopicAsync(topic);
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
             ENGINE = Kafka('{broker.Address}', '{topic}', 'group1 of {topic}', 'JSONEachRow') SETTINGS kafka_max_block_size = 500
             """,
            "CREATE MATERIALIZED VIEW posthog.events_mv TO posthog.events AS SELECT uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, timestamp AS _timestamp, toUInt64(0) AS _offset FROM posthog.kafka_events");
        return topic;
    }

    private static async Task<HashSet<Guid>> UuidsAsync(PackCase c) =>
        [.. (await c.Gateway.QueryAsync("SELECT uuid FROM posthog.events", ct: PackCase.Ct)).Select(r => Guid.Parse(r["uuid"], System.Globalization.CultureInfo.InvariantCulture))];

    /// <summary>Waits until many more messages have arrived.</summary>
    public static async Task GrowsAsync(PackCase c)
    {
        var before = (await UuidsAsync(c)).Count;
        await Wait.UntilAsync(async () => (await UuidsAsync(c)).Count > before + 500, PackCase.Ct);
    }

    /// <summary>Requires that every message is there once, whatever merges have still to do, and the feed as it was.</summary>
    public static async Task RequireOnceAsync(PackCase c, KafkaProducer producer)
    {
        var sent = producer.Acknowledged.Select(KafkaProducer.Uuid).ToHashSet();
        await Wait.UntilAsync(async () => sent.IsSubsetOf(await UuidsAsync(c)), PackCase.Ct);
        (await c.AskAsync<string>("SELECT toString(count() - uniqExact(uuid)) FROM posthog.events FINAL")).ShouldBe("0");
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM system.tables WHERE database = 'posthog' AND name IN ('kafka_events', 'events_mv')")).ShouldBe(2);
    }

    /// <summary>A message.</summary>
    public static string Line(long id) => JsonSerializer.Serialize(new
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
