using Godwit.Fixtures;
using Godwit.IntegrationTests.Kafka;
using Xunit;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>Wherever Godwit, a server of 2018 or the broker is killed, the rebuild of a table that Kafka feeds goes on to the same end.</summary>
/// <inheritdoc cref="CrashPoints" path="/remarks"/>
public sealed class OldFeedCrashWalkTests(RealKafka kafka)
{
    public static TheoryData<string> Names => CrashPoints.Names(FeedScenarios.OfOldServers);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_run_goes_on_to_the_same_end_wherever_Godwit_is_killed(string scenario) =>
        await WalkAsync(scenario, 3, CrashKind.GodwitKilled, await kafka.BrokerAsync());

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_run_goes_on_to_the_same_end_wherever_the_server_is_killed(string scenario) =>
        await WalkAsync(scenario, 1, CrashKind.ServerKilled, await kafka.BrokerAsync());

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_run_goes_on_to_the_same_end_wherever_the_broker_is_killed(string scenario)
    {
        await using var broker = await KafkaFixture.StartAsync();
        await WalkAsync(scenario, 1, CrashKind.BrokerKilled, broker);
    }

    private static async Task WalkAsync(string scenario, int most, CrashKind kind, KafkaFixture broker)
    {
        await using var server = new OldServerFixture(KafkaFixture.ClickHouseConfiguration);
        await server.StartAsync();
        await CrashPoints.WalkAsync(FeedScenarios.OfOldServers, scenario, most, kind, server, kafka: broker);
    }
}
