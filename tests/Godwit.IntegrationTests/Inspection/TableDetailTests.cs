using System.Text.Json;
using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.IntegrationTests.Rebuild;
using Godwit.Plans;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Inspection;

/// <summary>One table in full.</summary>
public sealed class TableDetailTests(RealEngine real)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_table_is_told_with_columns_partitions_mutations_and_views()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        var table = new QualifiedName(c.Database, TableListTests.Hostile);
        var name = table.ToSql();
        await c.SqlAsync(
            $"""
             CREATE TABLE {name} (`a.b` UInt64 COMMENT 'it''s <b>' CODEC(ZSTD(3)), ts DateTime('UTC'), `c``d` String DEFAULT 'x') ENGINE = MergeTree
             PARTITION BY toYYYYMM(ts) PRIMARY KEY `a.b` ORDER BY (`a.b`, ts) TTL ts + INTERVAL 50 YEAR SETTINGS min_bytes_for_wide_part = 0
             """,
            $"INSERT INTO {name} (`a.b`, ts) SELECT number, toDateTime('2026-01-31 00:00:00', 'UTC') + number * 3600 FROM numbers(48)",
            "CREATE TABLE @target (`a.b` UInt64) ENGINE = MergeTree ORDER BY `a.b`",
            $"CREATE MATERIALIZED VIEW @`v.1` TO @target AS SELECT `a.b` FROM {name}",
            $"CREATE MATERIALIZED VIEW @inner ENGINE = MergeTree ORDER BY tuple() AS SELECT count() AS n FROM {name}",
            $"SYSTEM STOP MERGES {name}",
            $"ALTER TABLE {name} DELETE WHERE `a.b` = 3 SETTINGS mutations_sync = 0");

        var detail = (await c.Migrator.TableAsync(table, Ct))!;
        var target = (await c.Migrator.TableAsync(new QualifiedName(c.Database, "target"), Ct))!;

        detail.CanBeRebuilt.ShouldBeTrue();
        detail.Create.ShouldStartWith("CREATE TABLE ");
        detail.Keys.ShouldBe(new TableKeys("`a.b`, ts", "`a.b`", "toYYYYMM(ts)", ""));
        detail.Ttl!.ShouldStartWith("ts + ");
        detail.Settings["min_bytes_for_wide_part"].ShouldBe("0");
        var column = detail.Columns[0];
        (column.Name, column.Type, column.Codec, column.Comment).ShouldBe(("a.b", "UInt64", "CODEC(ZSTD(3))", "it's <b>"));
        (column.InSortingKey, column.InPrimaryKey, column.InPartitionKey).ShouldBe((true, true, false));
        column.CompressedBytes.ShouldBeGreaterThan(0);
        column.UncompressedBytes.ShouldBe(48 * 8);
        (detail.Columns[2].Name, detail.Columns[2].DefaultKind, detail.Columns[2].DefaultExpression).ShouldBe(("c`d", "DEFAULT", "'x'"));
        detail.Partitions.Select(p => (p.Id, p.Rows, p.Parts)).ShouldBe([("202601", 24L, 1L), ("202602", 24L, 1L)]);
        detail.Partitions[1].From.ShouldBe(new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero));
        detail.Partitions[1].To.ShouldBe(new DateTimeOffset(2026, 2, 1, 23, 0, 0, TimeSpan.Zero));
        (detail.Rows, detail.Parts).ShouldBe((48, 2));
        var mutation = detail.Mutations.ShouldHaveSingleItem();
        (mutation.IsDone, mutation.PartsToDo).ShouldBe((false, 2));
        mutation.Command.ShouldContain("DELETE WHERE");
        detail.ViewsFrom.Select(v => v.View.Table).ShouldBe(["inner", "v.1"]);
        detail.ViewsFrom[1].Target.ShouldBe(target.Table);
        detail.ViewsFrom[0].Target!.Table.ShouldStartWith(".inner_id.");
        detail.ViewsInto.ShouldBeEmpty();
        target.ViewsInto.Select(v => v.View.Table).ShouldBe(["v.1"]);
        JsonSerializer.Serialize(detail, PlanFormat.Json).ShouldContain("\"compressedBytes\":");
    }

    [Fact]
    public async Task A_failing_mutation_comes_first_with_its_reason()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(
            "CREATE TABLE @t (id UInt64, s String) ENGINE = MergeTree ORDER BY id", "INSERT INTO @t VALUES (1, 'x')",
            "ALTER TABLE @t UPDATE s = 'y' WHERE 1 SETTINGS mutations_sync = 1", "ALTER TABLE @t UPDATE s = toString(throwIf(id = 1, 'as it should')) WHERE 1 SETTINGS mutations_sync = 0");
        await Fixtures.Wait.UntilAsync(async () => (await c.Migrator.TableAsync(c.Table, Ct))!.Mutations[0].FailReason is not null, Ct);

        var mutations = (await c.Migrator.TableAsync(c.Table, Ct))!.Mutations;

        mutations.Select(m => m.IsDone).ShouldBe([false, true]);
        mutations[0].FailReason!.ShouldContain("as it should");
        mutations[1].FailReason.ShouldBeNull();
        await c.SqlAsync("DROP TABLE @t SYNC");
    }

    [Fact]
    public async Task Views_and_missing_tables_are_told_too()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync("CREATE VIEW @v AS SELECT 1 AS a");

        (await c.Migrator.TableAsync(new QualifiedName(c.Database, "no'such"), Ct)).ShouldBeNull();
        var view = (await c.Migrator.TableAsync(new QualifiedName(c.Database, "v"), Ct))!;
        (view.Engine, view.CanBeRebuilt, view.Partitions.Count, view.Columns[0].Name).ShouldBe(("View", false, 0, "a"));
    }
}
