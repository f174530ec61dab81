using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

public sealed class LayoutKindsTests(RealEngine real)
{
    private const string Insert =
        "INSERT INTO @t SELECT toDate('2026-01-01') + number % 100, number % 10, toString(number), number FROM numbers(3000) SETTINGS max_partitions_per_insert_block = 0";

    [Theory]
    [InlineData("PARTITION BY toYYYYMM(d) ORDER BY (k, n)", "PARTITION BY toYYYYMM(d) ORDER BY tuple()")]
    [InlineData("ORDER BY tuple()", "ORDER BY (k, n)")]
    [InlineData("ORDER BY (k, n)", "ORDER BY (n, k)")]
    [InlineData("ORDER BY n", "PARTITION BY toYYYYMM(d) ORDER BY n")]
    [InlineData("PARTITION BY toYYYYMM(d) ORDER BY n", "PARTITION BY tuple() ORDER BY n")]
    [InlineData("PARTITION BY toYYYYMM(d) ORDER BY n", "PARTITION BY d ORDER BY n")]
    [InlineData("PARTITION BY d ORDER BY n", "PARTITION BY toYYYYMM(d) ORDER BY n")]
    [InlineData("PARTITION BY toYYYYMM(d) ORDER BY n", "PARTITION BY k ORDER BY n")]
    [InlineData("PARTITION BY k ORDER BY n", "PARTITION BY (k, toYYYYMM(d)) ORDER BY n")]
    [InlineData("PARTITION BY toYYYYMM(d) ORDER BY (k, n)", "PARTITION BY toYYYYMM(d) PRIMARY KEY k ORDER BY (k, n)")]
    [InlineData("PARTITION BY toYYYYMM(d) PRIMARY KEY k ORDER BY (k, n)", "PARTITION BY toYYYYMM(d) PRIMARY KEY n ORDER BY (n, k)")]
    [InlineData("ORDER BY (k, intHash32(n)) SAMPLE BY intHash32(n)", "ORDER BY (intHash32(n), k) SAMPLE BY intHash32(n)")]
    [InlineData("ORDER BY (k, n)", "ORDER BY (intHash32(n), k) SAMPLE BY intHash32(n)")]
    [InlineData("ORDER BY (k, -n)", "ORDER BY (-n, cityHash64(s, k) % 16)")]
    public async Task ALayoutBecomesAnotherWithTheSameRows(string from, string to)
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        string Create(string name, string layout) => $"CREATE TABLE @{name} (d Date, k UInt8, s String, n UInt64) ENGINE = MergeTree {layout}";
        await c.SqlAsync(Create("t", from), Create("wish", to), Insert);
        var rows = await c.RowsAsync("@t");

        await c.RebuildAsync(new RebuildRequest { Table = c.Table, Ddl = $"CREATE TABLE t (d Date, k UInt8, s String, n UInt64) ENGINE = MergeTree {to}" });

        (await c.RowsAsync("@t")).ShouldBe(rows);
        (await c.DefinitionAsync("t")).ShouldBe(await c.DefinitionAsync("wish"));
    }

    [Fact]
    public async Task AnEmptyTableIsRebuilt()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync("CREATE TABLE @t (a UInt32, b UInt32) ENGINE = MergeTree ORDER BY a");

        var status = await c.RunAsync(
            new RebuildRequest { Table = c.Table, OrderBy = "(b, a)" }, () => c.SqlAsync("INSERT INTO @t SELECT number, number FROM numbers(10)"));

        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await c.AskAsync<long>("SELECT count() FROM @t")).ShouldBe(10);
    }

    [Fact]
    public async Task ThreeHundredPartitionsAreRebuilt()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(
            "CREATE TABLE @t (a UInt32, b UInt32) ENGINE = MergeTree PARTITION BY a ORDER BY b",
            "INSERT INTO @t SELECT number % 300, number FROM numbers(3000) SETTINGS max_partitions_per_insert_block = 0");
        var rows = await c.RowsAsync("@t");

        await c.RebuildAsync(new RebuildRequest { Table = c.Table, OrderBy = "(b, a)" });

        (await c.RowsAsync("@t")).ShouldBe(rows);
    }

    [Fact]
    public async Task AProjectionIsRebuiltWithItsTable()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(
            "CREATE TABLE @t (a UInt32, b UInt32, PROJECTION p (SELECT b, count(), sum(a) GROUP BY b), PROJECTION q (SELECT * ORDER BY b)) ENGINE = MergeTree PARTITION BY a % 2 ORDER BY a",
            "INSERT INTO @t SELECT number, number % 17 FROM numbers(3000)");
        var rows = await c.RowsAsync("@t");
        const string ByProjection = "SELECT toString(groupArray((b, n, s))) FROM (SELECT b, count() AS n, sum(a) AS s FROM @t GROUP BY b ORDER BY b) SETTINGS force_optimize_projection = 1";
        var sums = await c.AskAsync<string>(ByProjection);

        await c.RebuildAsync(new RebuildRequest { Table = c.Table, OrderBy = "(b, a)" });

        (await c.RowsAsync("@t")).ShouldBe(rows);
        (await c.AskAsync<string>(ByProjection)).ShouldBe(sums);
    }

    [Fact]
    public async Task ARebuildIsRolledBackAfterItsCutoverWithTheRowsThatCameSince()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync("CREATE TABLE @t (d Date, k UInt8, s String, n UInt64) ENGINE = MergeTree PARTITION BY toYYYYMM(d) ORDER BY n", Insert);
        var definition = await c.DefinitionAsync("t");
        var status = await c.RunAsync(new RebuildRequest { Table = c.Table, OrderBy = "(k, n)", PartitionBy = "k" });
        status.State.ShouldBe(RunState.Completed, status.Problem);
        await c.SqlAsync(Insert);
        var rows = await c.RowsAsync("@t");

        var back = await c.Migrator.RollbackAsync(status.RunId, ct: RebuildCase.Ct);

        back.State.ShouldBe(RunState.RolledBack, back.Problem);
        (await c.RowsAsync("@t")).ShouldBe(rows);
        (await c.DefinitionAsync("t")).ShouldBe(definition);
    }
}
