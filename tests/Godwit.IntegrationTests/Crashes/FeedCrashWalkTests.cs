using Godwit.Fixtures;
using Godwit.IntegrationTests.Kafka;
using Xunit;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>Wherever Godwit is killed, the rebuild of a table that Kafka feeds goes on to the same end.</summary>
/// <inheritdoc cref="CrashPoints" path="/remarks"/>
public sealed class FeedCrashWalkTests(RealEngine real, RealKafka kafka)
{
    public static TheoryData<string> Names => CrashPoints.Names(FeedScenarios.All);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_run_goes_on_to_the_same_end_wherever_Godwit_is_killed(string scenario) =>
        await CrashPoints.WalkAsync(FeedScenarios.All, scenario, 4, CrashKind.GodwitKilled, real.Engine, kafka: await kafka.BrokerAsync());
}
