using Godwit.Fixtures;
using Xunit;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>Wherever Godwit or the server is killed while whole partitions are copied and names change hands, the run goes on to the same end.</summary>
/// <inheritdoc cref="CrashPoints" path="/remarks"/>
public sealed class WholeCrashWalkTests(RealEngine real)
{
    public static TheoryData<string> Names => CrashPoints.Names(WholeScenarios.OfNewServers);

    [Theory]
    [MemberData(nameof(Names))]
    public Task A_run_goes_on_to_the_same_end_wherever_Godwit_is_killed(string scenario) =>
        CrashPoints.WalkAsync(WholeScenarios.OfNewServers, scenario, 3, CrashKind.GodwitKilled, real.Engine);

    [Fact]
    public async Task A_run_goes_on_to_the_same_end_wherever_the_server_is_killed()
    {
        await using var engine = await EngineFixture.StartAsync();
        await CrashPoints.WalkAsync(WholeScenarios.OfNewServers, "exchanged", 3, CrashKind.ServerKilled, engine);
    }
}
