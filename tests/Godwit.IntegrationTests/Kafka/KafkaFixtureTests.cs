using Godwit.Fixtures;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Kafka;

/// <summary>The producer's log is what other tests believe: it must hold when the broker is killed.</summary>
public sealed class KafkaFixtureTests(RealEngine real)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_broker_has_acknowledged_is_there_once_after_it_was_killed_and_stopped()
    {
        await using var broker = await KafkaFixture.StartAsync();
        await using var feed = await KafkaFeed.CreateAsync(broker, real.Engine);
        await using var producer = KafkaProducer.Start(broker, feed.Topic, pause: TimeSpan.Zero);
        await Wait.UntilAsync(async () => await feed.RowsAsync() > 0, Ct);

        await broker.KillAsync();
        await broker.StartAgainAsync();
        var written = producer.Acknowledged.Count;
        await Wait.UntilAsync(() => producer.Acknowledged.Count > written, Ct);
        await broker.StopAsync();
        await broker.StartAgainAsync();
        written = producer.Acknowledged.Count;
        await Wait.UntilAsync(() => producer.Acknowledged.Count > written, Ct);
        await producer.StopAsync();
        await Wait.UntilAsync(async () => (await feed.LagAsync()).Total == 0, Ct);

        var stored = (await feed.Gateway.QueryAsync($"SELECT DISTINCT id FROM {feed.Database}.events", ct: Ct)).Select(r => r.Int64("id")).ToHashSet();
        producer.Acknowledged.Where(id => !stored.Contains(id)).ShouldBeEmpty();
        (await feed.LagAsync()).Partitions.Sum(p => p.End).ShouldBe(stored.Count, "each is in the topic once");
        stored.Except(producer.Acknowledged).Except(producer.Unknown).ShouldBeEmpty();
    }
}
