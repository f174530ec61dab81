using Godwit.Fixtures;
using Xunit;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>Wherever Godwit is killed, a rebuild goes on to the same end.</summary>
/// <inheritdoc cref="CrashPoints" path="/remarks"/>
public sealed class RebuildCrashWalkTests(RealEngine real)
{
    public static TheoryData<string> Others => CrashPoints.Names(RebuildScenarios.All.Skip(1));

    [Fact]
    public Task A_copy_goes_on_to_the_same_end_wherever_Godwit_is_killed() => WalkAsync("copy", 10);

    [Theory]
    [MemberData(nameof(Others))]
    public Task Other_runs_go_on_to_the_same_end_wherever_Godwit_is_killed(string scenario) => WalkAsync(scenario, 3);

    private Task WalkAsync(string scenario, int most) => CrashPoints.WalkAsync(RebuildScenarios.All, scenario, most, CrashKind.GodwitKilled, real.Engine);
}
