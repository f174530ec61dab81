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
    private const string Key = "team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid)";

    [Fact]
    public async Task Every_message_is_there_once_after_the_run_and_after_its_rollback()
    {
        await using var server = new OldServerFixture(KafkaFixture.ClickHouseConfiguration);
        await server.StartAsync();
        using var gateway = server.Gateway();
        await using var c = await PackCase.NewAsync(gateway, PackCase.Schema("old-2018"));
        var broker = await kafka.BrokerAsync();
        var topic = await KafkaEvents.FeedAsync(c, broker);
        await using var producer = KafkaProducer.Start(broker, topic, KafkaEvents.Line, pause: TimeSpan.FromMilliseconds(20));
        await KafkaEvents.GrowsAsync(c);
        var migration = new EventsSampleBy();

        var run = await c.RunAsync(migration, ("accept", string.Join(' ', KafkaFeed.NoBroker)));

        run.State.ShouldBe(RunState.Completed, run.Problem);
        run.Strategy.ShouldBe("pause-feed");
        run.Findings.Single().ShouldContain("posthog.events_backup_0002_events_sample_by");
        (await EngineAsync(c)).ShouldContain($"ORDER BY ({Key})");
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM system.tables WHERE database = 'posthog' AND name = 'events_backup_0002_events_sample_by'")).ShouldBe(1);
        await KafkaEvents.RequireOnceAsync(c, producer);
        await KafkaEvents.GrowsAsync(c);
        var back = await c.RollbackAsync(migration, run.RunId);
        back.State.ShouldBe(RunState.RolledBack, back.Problem);
        (await EngineAsync(c)).ShouldContain("ORDER BY (team_id, toDate(timestamp), distinct_id, uuid)");
        await KafkaEvents.GrowsAsync(c);
        await producer.StopAsync();
        await KafkaEvents.RequireOnceAsync(c, producer);
    }

    private static Task<string> EngineAsync(PackCase c) => c.AskAsync<string>("SELECT engine_full FROM system.tables WHERE database = 'posthog' AND name = 'events'");
}
