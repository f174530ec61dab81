using Godwit.Fixtures;
using Godwit.IntegrationTests.Kafka;
using Xunit;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>Wherever Godwit, the server or the broker is killed, the rebuild of a table that Kafka feeds goes on to the same end.</summary>
/// <inheritdoc cref="CrashPoints" path="/remarks"/>
public sealed class FeedCrashWalkTests(RealEngine real, RealKafka kafka)
{
    public static TheoryData<string> Names => CrashPoints.Names(FeedScenarios.OfNewServers);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_run_goes_on_to_the_same_end_wherever_Godwit_is_killed(string scenario) =>
        await CrashPoints.WalkAsync(FeedScenarios.OfNewServers, scenario, 3, CrashKind.GodwitKilled, real.Engine, kafka: await kafka.BrokerAsync());

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_run_goes_on_to_the_same_end_wherever_the_server_is_killed(string scenario)
    {
        await using var engine = await EngineFixture.StartAsync(configuration: KafkaFixture.ClickHouseConfiguration);
        await CrashPoints.WalkAsync(FeedScenarios.OfNewServers, scenario, 1, CrashKind.ServerKilled, engine, kafka: await kafka.BrokerAsync());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_run_goes_on_to_the_same_end_wherever_the_broker_is_killed(string scenario)
    {
        await using var broker = await KafkaFixture.StartAsync();
        await CrashPoints.WalkAsync(FeedScenarios.OfNewServers, scenario, 1, CrashKind.BrokerKilled, real.Engine, kafka: broker);
    }
}
