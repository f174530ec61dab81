using Godwit.IntegrationTests.ClickHouse;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>A server of 2018 has mutations, and knows nothing of waiting for them.</summary>
public sealed class OldServerMutationTests(OldServer server) : IClassFixture<OldServer>
{
    [Fact]
    public async Task A_mutation_is_done_once_and_undone()
    {
        await using var c = await MigrationCase.NewAsync(server.Fixture);
        await c.SqlAsync(
            "CREATE TABLE {db}.t (id UInt64, n Int64) ENGINE = MergeTree PARTITION BY id % 3 ORDER BY id",
            "INSERT INTO {db}.t SELECT number, 0 FROM numbers(1000)");
        var migrator = c.Knows("""
            name: m
            description: For a test
            operations:
              - mutate: {db}.t
                command: UPDATE n = n + 1 WHERE id >= 10
                undo: UPDATE n = 0 WHERE id >= 10
            """);

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await SumAsync(c)).ShouldBe(990);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM system.mutations WHERE database = '{db}'")).ShouldBe(1);
        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await SumAsync(c)).ShouldBe(0);
    }

    private static Task<long> SumAsync(MigrationCase c) => c.AskAsync<long>("SELECT toInt64(sum(n)) FROM {db}.t");
}
