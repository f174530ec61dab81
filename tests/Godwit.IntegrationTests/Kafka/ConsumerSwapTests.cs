using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Kafka;
using Godwit.Rebuild;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Kafka;

/// <summary>
/// What the server does when two tables, each with a consumer and a view of its own, change names: the ground on which <c>second-consumer</c> stands.
/// </summary>
public sealed class ConsumerSwapTests(RealEngine real, RealKafka kafka)
{
    private const int Swaps = 25;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Consumers_go_on_into_their_own_tables_when_both_pairs_of_names_change_hands_behind_a_closed_gate()
    {
        await using var feed = await TwiceAsync();
        await using var producer = KafkaProducer.Start(feed.Broker, feed.Topic, pause: TimeSpan.FromMilliseconds(5));
        var capabilities = await Capabilities.ProbeAsync(feed.Gateway, ct: Ct);
        List<double> closed = [];
        for (var i = 0; i < Swaps; i++)
        {
            await GrowAsync(feed);
            await SqlAsync(
                feed,
                "CREATE TABLE @gate (n UInt8) ENGINE = Null",
                "CREATE MATERIALIZED VIEW @gate1 TO @gate AS SELECT 1 AS n FROM @queue",
                "CREATE MATERIALIZED VIEW @gate2 TO @gate AS SELECT 1 AS n FROM @queue2");
            await GrowAsync(feed);
            var began = TimeProvider.System.GetTimestamp();
            await SqlAsync(feed, "DROP TABLE @gate");
            await ConsumerGate.PassAsync(feed.Gateway, capabilities, [new(feed.Database, "queue"), new(feed.Database, "queue2")], TimeProvider.System, Ct);
            await SqlAsync(feed, "EXCHANGE TABLES @events AND @events2", "EXCHANGE TABLES @queue AND @queue2", "DROP TABLE @gate1", "DROP TABLE @gate2");
            closed.Add(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"closed for {closed.Average():0} ms, {closed.Max():0} at most");
        await RequireOnceInEachAsync(feed, producer);
    }

    private static async Task GrowAsync(KafkaFeed feed)
    {
        var (first, second) = (await feed.RowsAsync(), await feed.RowsAsync("events2"));
        await Wait.UntilAsync(async () => await feed.RowsAsync() > first && await feed.RowsAsync("events2") > second, Ct);
    }

    private static async Task RequireOnceInEachAsync(KafkaFeed feed, KafkaProducer producer)
    {
        await producer.StopAsync();
        await Wait.UntilAsync(async () => (await feed.LagAsync()).Total == 0 && (await feed.LagAsync("queue2")).Total == 0, Ct);
        var found = await feed.Gateway.ScalarAsync<string>(
            $"SELECT toString(((SELECT (count(), uniqExact(id)) FROM {feed.Database}.events), (SELECT (count(), uniqExact(id)) FROM {feed.Database}.events2)))", ct: Ct);
        var sent = producer.Acknowledged.Count;
        found.ShouldBe($"(({sent},{sent}),({sent},{sent}))", "rows and messages of both tables");
    }

    private static async Task SqlAsync(KafkaFeed feed, params string[] statements)
    {
        foreach (var statement in statements)
        {
            await feed.Gateway.ExecuteAsync(statement.Replace("@", feed.Database + ".", StringComparison.Ordinal), ct: Ct);
        }
    }

    private async Task<KafkaFeed> TwiceAsync()
    {
        var feed = await KafkaFeed.CreateAsync(await kafka.BrokerAsync(), real.Engine, settings: "kafka_flush_interval_ms = 100");
        var second = (await feed.TableAsync()).CreateSql(new QualifiedName(feed.Database, "queue2"), "second of " + feed.Topic).ShouldNotBeNull();
        await SqlAsync(feed, "CREATE TABLE @events2 AS @events", second, "CREATE MATERIALIZED VIEW @feed2 TO @events2 AS SELECT id, uuid FROM @queue2");
        return feed;
    }
}
