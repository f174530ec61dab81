using Godwit.Fixtures;
using Xunit;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>Wherever the server is killed, a run goes on to the same end.</summary>
/// <inheritdoc cref="CrashPoints" path="/remarks"/>
public sealed class ServerCrashWalkTests
{
    [Theory]
    [InlineData("copy")]
    [InlineData("link")]
    [InlineData("rollback after completion")]
    [InlineData("operations")]
    [InlineData("rollback of operations")]
    public async Task A_run_goes_on_to_the_same_end_wherever_the_server_is_killed(string scenario)
    {
        await using var engine = await EngineFixture.StartAsync(hasQueryLog: true);
        await CrashPoints.WalkAsync([.. RebuildScenarios.All, .. MigrationScenarios.All], scenario, 3, CrashKind.ServerKilled, engine);
    }
}
