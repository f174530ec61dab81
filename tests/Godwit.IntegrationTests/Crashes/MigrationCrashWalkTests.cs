using Godwit.Fixtures;
using Xunit;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>Wherever Godwit is killed, a migration goes on to the same end. What becomes of somebody else's SQL is read in the server's log.</summary>
/// <inheritdoc cref="CrashPoints" path="/remarks"/>
public sealed class MigrationCrashWalkTests
{
    public static TheoryData<string> Names => CrashPoints.Names(MigrationScenarios.All);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_migration_goes_on_to_the_same_end_wherever_Godwit_is_killed(string scenario)
    {
        await using var engine = await EngineFixture.StartAsync(hasQueryLog: true);
        await CrashPoints.WalkAsync(MigrationScenarios.All, scenario, 3, CrashKind.GodwitKilled, engine);
    }

    [Theory]
    [InlineData("migration")]
    [InlineData("rollback of a migration")]
    public async Task A_migration_that_is_kept_in_PostgreSQL_goes_on_to_the_same_end_wherever_Godwit_is_killed(string scenario)
    {
        await using var engine = await EngineFixture.StartAsync(hasQueryLog: true);
        await using var postgres = await PostgresFixture.StartAsync();
        await CrashPoints.WalkAsync(MigrationScenarios.All, scenario, 3, CrashKind.GodwitKilled, engine, postgres);
    }
}
