using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.IntegrationTests.Rebuild;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Inspection;

/// <summary>The list of tables. The engine is shared, so each test looks for its own database.</summary>
public sealed class TableListTests(RealEngine real)
{
    /// <summary>A name that has everything in it that quoting can get wrong.</summary>
    public const string Hostile = "<script>a.b'\"`\\\té%$x$";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tables_are_listed_by_size_without_views_and_helpers()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        var hostile = new QualifiedName(c.Database, Hostile);
        await c.SqlAsync(
            "CREATE TABLE @t (p UInt8, id UInt64) ENGINE = MergeTree PARTITION BY p ORDER BY id SETTINGS max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1",
            "INSERT INTO @t SELECT number % 3, number FROM numbers(90000)",
            "INSERT INTO @t SELECT 0, number FROM numbers(10)",
            $"CREATE TABLE {hostile.ToSql()} (id UInt64) ENGINE = ReplacingMergeTree ORDER BY id",
            $"INSERT INTO {hostile.ToSql()} SELECT number FROM numbers(5)",
            "CREATE TABLE @memory (id UInt64) ENGINE = Memory",
            "INSERT INTO @memory SELECT number FROM numbers(7)",
            "CREATE VIEW @v AS SELECT * FROM @t",
            "CREATE TABLE @t_godwit_abcdefgh (id UInt64) ENGINE = MergeTree ORDER BY id",
            "CREATE TABLE @t_godwit_abcdefgh_l3_d (id UInt64) ENGINE = MergeTree ORDER BY id",
            "CREATE TABLE @empty (id UInt64) ENGINE = MergeTree ORDER BY id");

        var page = await c.Migrator.TablesAsync(new TableFilter { Search = c.Database.ToUpperInvariant() }, 10, 0, Ct);
        var withViews = await c.Migrator.TablesAsync(new TableFilter { Search = c.Database, Views = true }, 2, 1, Ct);
        var found = await c.Migrator.TablesAsync(new TableFilter { Search = "ript>a.b'\"`\\\tÉ%" }, 10, 0, Ct);

        page.Tables.Select(t => t.Table.Table).ShouldBe(["t", Hostile, "memory", "empty"]);
        (page.Total, page.Bytes).ShouldBe((4, page.Tables.Sum(t => t.Bytes!.Value)));
        var first = page.Tables[0];
        (first.Rows, first.Parts, first.Partitions, first.CanBeRebuilt, first.Engine).ShouldBe((90010, 4, 3, true, "MergeTree"));
        first.UncompressedBytes!.Value.ShouldBeGreaterThan(first.Bytes!.Value);
        (page.Tables[2].Rows, page.Tables[2].CanBeRebuilt, page.Tables[2].UncompressedBytes).ShouldBe((7, false, null));
        (page.Tables[3].Rows, page.Tables[3].Bytes, page.Tables[3].Parts).ShouldBe((0, 0, 0));
        (withViews.Total, withViews.Tables.Count).ShouldBe((5, 2));
        withViews.Tables[0].Table.Table.ShouldBe(Hostile);
        found.Tables.ShouldContain(t => t.Table == hostile);
        found.Tables.ShouldAllBe(t => t.Table.Table == Hostile);
    }

    [Fact]
    public async Task Unfinished_mutations_are_counted()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync("CREATE TABLE @t (id UInt64) ENGINE = MergeTree ORDER BY id", "INSERT INTO @t VALUES (1)", "SYSTEM STOP MERGES @t", "ALTER TABLE @t DELETE WHERE id = 1 SETTINGS mutations_sync = 0");

        (await c.Migrator.TablesAsync(new TableFilter { Search = c.Database }, 10, 0, Ct)).Tables.ShouldHaveSingleItem().UnfinishedMutations.ShouldBe(1);
    }
}
