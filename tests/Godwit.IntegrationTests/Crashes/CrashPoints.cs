using Godwit.Fixtures;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>Which points of a scenario are walked.</summary>
/// <remarks>
/// GODWIT_CRASH_ALL=1 walks all points of all scenarios, GODWIT_CRASH_POINTS=37:after,38:before only these, GODWIT_CRASH_SCENARIO=copy those of one.
/// </remarks>
internal static class CrashPoints
{
    private static readonly bool All = Environment.GetEnvironmentVariable("GODWIT_CRASH_ALL") == "1";
    private static readonly string[]? Only = Environment.GetEnvironmentVariable("GODWIT_CRASH_POINTS")?.Split(',');
    private static readonly string? One = Environment.GetEnvironmentVariable("GODWIT_CRASH_SCENARIO");

    /// <summary>The names of scenarios, for a theory.</summary>
    public static TheoryData<string> Names(IEnumerable<CrashScenario> scenarios) => [.. scenarios.Select(s => s.Name)];

    /// <summary>Walks a scenario, and fails with what was wrong at which point.</summary>
    /// <param name="scenarios">Where it is.</param>
    /// <param name="name">Its name.</param>
    /// <param name="most">About how many points, unless a variable says otherwise.</param>
    /// <param name="kind">What happens at each.</param>
    /// <param name="server">Where it happens.</param>
    /// <param name="postgres">Keeps the runs; null for a file.</param>
    /// <param name="kafka">The broker of a scenario that has one.</param>
    public static async Task WalkAsync(
        CrashScenario[] scenarios, string name, int most, CrashKind kind, IServerFixture server, PostgresFixture? postgres = null, KafkaFixture? kafka = null)
    {
        Assert.SkipWhen(One is not null && One != name, $"Only {One} is walked.");
        var output = TestContext.Current.TestOutputHelper!;
        var walk = new CrashWalk(server, scenarios.Single(s => s.Name == name), kind, postgres, kafka);
        var (points, failures) = await walk.WalkAsync(All ? int.MaxValue : most, Only, output.WriteLine, TestContext.Current.CancellationToken);
        output.WriteLine($"{name}: {points} points walked, {failures.Count} failures");
        failures.ShouldBeEmpty();
    }
}
