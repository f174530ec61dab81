using Godwit.Fixtures;
using Godwit.IntegrationTests.ClickHouse;
using Xunit;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>Wherever Godwit or a server of 2018 is killed while whole partitions are copied and names change hands, the run goes on to the same end.</summary>
/// <inheritdoc cref="CrashPoints" path="/remarks"/>
public sealed class OldServerCrashWalkTests(OldServer old) : IClassFixture<OldServer>
{
    public static TheoryData<string> Names => CrashPoints.Names(WholeScenarios.OfOldServers);

    [Theory]
    [MemberData(nameof(Names))]
    public Task A_run_goes_on_to_the_same_end_wherever_Godwit_is_killed(string scenario) =>
        CrashPoints.WalkAsync(WholeScenarios.OfOldServers, scenario, 3, CrashKind.GodwitKilled, old.Fixture);

    [Theory]
    [InlineData("renamed")]
    [InlineData("rollback of renamed")]
    public async Task A_run_goes_on_to_the_same_end_wherever_the_server_is_killed(string scenario)
    {
        await using var server = new OldServerFixture();
        await server.StartAsync();
        await CrashPoints.WalkAsync(WholeScenarios.OfOldServers, scenario, 3, CrashKind.ServerKilled, server);
    }

    [Fact]
    public Task A_process_that_was_frozen_past_its_lease_does_nothing_when_it_wakes_up() =>
        CrashPoints.WalkAsync(WholeScenarios.OfOldServers, "renamed", 3, CrashKind.GodwitFrozen, old.Fixture);
}
