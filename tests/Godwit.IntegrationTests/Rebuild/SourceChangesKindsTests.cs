using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>What somebody else does to the table while a rebuild waits for its cutover.</summary>
public sealed class SourceChangesKindsTests(RealEngine real)
{
    [Theory]
    [InlineData("ALTER TABLE {0} UPDATE v = v + 1 WHERE k % 3 = 0")]
    [InlineData("ALTER TABLE {0} DELETE WHERE k % 5 = 0")]
    [InlineData("DELETE FROM {0} WHERE k % 7 = 0")]
    [InlineData("ALTER TABLE {0} DROP PARTITION 2")]
    [InlineData("TRUNCATE TABLE {0}")]
    public Task AChangeOfPresentRowsReachesTheNewTable(string change) =>
        ShouldReachAsync(new RebuildRequest { Table = new("?", "?"), OrderBy = "(v, k)" }, change);

    [Theory]
    [InlineData("ALTER TABLE {0} UPDATE v = v + 1 WHERE k % 3 = 0")]
    [InlineData("ALTER TABLE {0} DROP PARTITION 2")]
    public Task AChangeReachesANewTableWithOtherPartitionsAndTypes(string change) =>
        ShouldReachAsync(new RebuildRequest { Table = new("?", "?"), PartitionBy = "p % 2", ModifyColumns = ["p UInt64"] }, change);

    [Fact]
    public Task AChangeReachesANewTableThatIsPartitionedByAColumnOfAnotherType() =>
        ShouldReachAsync(
            new RebuildRequest { Table = new("?", "?"), PartitionBy = "p", ModifyColumns = ["p String"] }, "ALTER TABLE {0} UPDATE v = v + 1 WHERE k % 3 = 0");

    [Theory]
    [InlineData("ALTER TABLE @t MODIFY SETTING enable_block_number_column = 0", "was turned off during the run")]
    [InlineData("DROP TABLE @t SYNC", "the table that this run began with")]
    [InlineData("RENAME TABLE @t TO @elsewhere", "the table that this run began with")]
    [InlineData("ALTER TABLE @t ADD COLUMN later UInt8", "was altered during the run (column later: ")]
    [InlineData("ALTER TABLE @t MODIFY TTL toDateTime('2100-01-01') + toIntervalSecond(k)", "was altered during the run (TTL: ")]
    [InlineData("ALTER TABLE @t DROP COLUMN v", "was altered during the run (column v: ")]
    public async Task ATableThatIsNoLongerTheSameEndsTheRunWithAClearSentence(string change, string sentence)
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await CreateAsync(c, "t");

        var status = await c.RunAsync(new RebuildRequest { Table = c.Table, OrderBy = "(p, k)" }, () => c.SqlAsync(change));

        status.State.ShouldBeOneOf(RunState.Failed, RunState.NeedsOperator);
        status.Problem.ShouldNotBeNull().ShouldContain(sentence);
        if (!change.StartsWith("DROP", StringComparison.Ordinal))
        {
            if (change.StartsWith("RENAME", StringComparison.Ordinal))
            {
                await c.SqlAsync("RENAME TABLE @elsewhere TO @t");
            }

            var back = await c.Migrator.RollbackAsync(status.RunId, ct: RebuildCase.Ct);
            back.State.ShouldBe(RunState.RolledBack, back.Problem);
            (await c.AskAsync<long>("SELECT count() FROM @t")).ShouldBe(4000);
            (await c.AskAsync<long>($"SELECT count() FROM system.tables WHERE database = '{c.Database}'")).ShouldBe(1);
            (await c.DefinitionAsync("t")).ShouldNotContain("block_number");
        }
    }

    private static async Task CreateAsync(RebuildCase c, string name) => await c.SqlAsync(
        $"CREATE TABLE @{name} (p UInt8, k UInt32, v UInt64) ENGINE = MergeTree PARTITION BY p ORDER BY k",
        $"INSERT INTO @{name} SELECT number % 4, number, number * 2 FROM numbers(4000)");

    private async Task ShouldReachAsync(RebuildRequest request, string change)
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await CreateAsync(c, "t");
        await CreateAsync(c, "twin");
        Task Both(string statement) => c.SqlAsync(
            statement.Replace("{0}", "@t", StringComparison.Ordinal) + " SETTINGS mutations_sync = 2, alter_sync = 2",
            statement.Replace("{0}", "@twin", StringComparison.Ordinal) + " SETTINGS mutations_sync = 2, alter_sync = 2");

        var status = await c.RunAsync(
            request with { Table = c.Table },
            async () =>
            {
                await Both(change);
                await c.SqlAsync("INSERT INTO @t SELECT number % 4, number, 1 FROM numbers(100)", "INSERT INTO @twin SELECT number % 4, number, 1 FROM numbers(100)");
            });

        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await c.RowsAsync("@t")).ShouldBe(await c.RowsAsync("@twin"));
    }
}
