using Godwit.Fixtures;
using Xunit;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>A process that wakes up after others have taken its run over does nothing.</summary>
/// <inheritdoc cref="CrashPoints" path="/remarks"/>
public sealed class FrozenCrashWalkTests(RealEngine real)
{
    [Theory]
    [InlineData("copy", 5)]
    [InlineData("link", 3)]
    [InlineData("rollback after completion", 3)]
    [InlineData("cleanup", 3)]
    public Task A_process_that_was_frozen_past_its_lease_does_nothing_when_it_wakes_up(string scenario, int most) =>
        CrashPoints.WalkAsync(RebuildScenarios.All, scenario, most, CrashKind.GodwitFrozen, real.Engine);
}
