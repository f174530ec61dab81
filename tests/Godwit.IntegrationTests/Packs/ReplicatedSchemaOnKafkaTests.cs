using Godwit.Fixtures;
using Godwit.IntegrationTests.Kafka;
using Godwit.Pack.PostHog;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>0004 on a server of 2018 with a real keeper and a real broker, whose producer never stops: no block that is under way ends where nobody looks.</summary>
public sealed class ReplicatedSchemaOnKafkaTests(RealKafka kafka)
{
    [Fact]
    public async Task Every_message_is_there_once_when_the_names_have_changed_hands()
    {
        await using var keeper = await KeeperFixture.StartAsync();
        await using var server = new OldServerFixture(
            $"""
             {KafkaFixture.ClickHouseConfiguration}{keeper.Configuration("a")}
             <remote_servers><alone><shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>{"{tcp}"}</port></replica></shard></alone></remote_servers>
             """);
        await server.StartAsync();
        using var gateway = server.Gateway();
        await using var c = await PackCase.NewAsync(gateway, PackCase.Schema("old-2018"));
        var broker = await kafka.BrokerAsync();
        var topic = await KafkaEvents.FeedAsync(c, broker);
        await using var producer = KafkaProducer.Start(broker, topic, KafkaEvents.Line, pause: TimeSpan.FromMilliseconds(20));
        await KafkaEvents.GrowsAsync(c);

        var run = await c.RunAsync(new ReplicatedSchema(), ("cluster", "alone"));

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await c.AskAsync<string>("SELECT engine FROM system.tables WHERE database = 'posthog' AND name = 'events'")).ShouldBe("Distributed");
        await KafkaEvents.GrowsAsync(c);
        await producer.StopAsync();
        await KafkaEvents.RequireOnceAsync(c, producer);
    }
}
