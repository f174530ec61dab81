using System.Text.Json;
using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.IntegrationTests.Rebuild;
using Godwit.Plans;
using Godwit.Rebuild;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Inspection;

/// <summary>What the log tells of the queries on a table, and the keys that they ask for.</summary>
public sealed class WorkloadTests(LoggedEngine logged, RealEngine real) : IClassFixture<LoggedEngine>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Queries_of_one_shape_are_one_entry_with_their_columns_and_figures()
    {
        await using var c = await CaseAsync();
        foreach (var user in new[] { 5, 6, 7 })
        {
            await c.Gateway.ExecuteAsync($"SELECT sum(v) FROM t WHERE user = {user} AND ts >= '2026-01-02' FORMAT Null", new QueryOptions { Database = c.Database }, Ct);
        }

        await c.SqlAsync("SELECT count() FROM @t AS a WHERE a.country = '3' FORMAT Null", "SELECT count() FROM @other FORMAT Null");

        var workload = await c.Migrator.WorkloadAsync(c.Table, 1, Ct);

        workload.Unavailable.ShouldBeNull();
        workload.Queries.Select(q => q.Count).ShouldBe([3, 1], ignoreOrder: true);
        var shape = workload.Queries.Single(q => q.Count == 3);
        shape.Text.ShouldStartWith("SELECT sum(v) FROM t WHERE user = ");
        shape.Columns.ShouldBe(["ts", "user", "v"]);
        shape.Conditions.ShouldBe([new("ts", ConditionUse.Range), new("user", ConditionUse.Equality)]);
        shape.ReadRows.Median.ShouldBe(shape.ReadRows.Total / 3);
        shape.ReadRows.Median.ShouldBeGreaterThan(0);
        JsonSerializer.Serialize(workload, PlanFormat.Json).ShouldNotContain("logged", Case.Insensitive);
    }

    [Fact]
    public async Task Names_with_everything_in_them_are_found()
    {
        await using var c = await CaseAsync();
        var table = new QualifiedName(c.Database, TableListTests.Hostile);
        await c.SqlAsync(
            $"CREATE TABLE {table.ToSql()} (`select` UInt64, `a.b` UInt8, `c``'d` String) ENGINE = MergeTree ORDER BY `select`",
            $"INSERT INTO {table.ToSql()} SELECT number, number % 7, toString(number) FROM numbers(20000)",
            $"SELECT count() FROM {table.ToSql()} WHERE `a.b` = 3 AND `c``'d` IN ('<script>', 'x') AND `select` < 5 FORMAT Null");

        var workload = await c.Migrator.WorkloadAsync(table, 1, Ct);
        var proposals = await c.Migrator.SuggestKeysAsync(table, 1, Ct);
        var selectivity = await c.Migrator.KeySelectivityAsync(table, [], 1, Ct);
        var estimate = await c.Migrator.EstimateAsync(new Godwit.Rebuild.RebuildRequest { Table = table, OrderBy = proposals.Proposals[0].OrderBy }, 1, Ct);

        workload.Queries.ShouldHaveSingleItem().Columns.ShouldBe(["a.b", "c`'d", "select"]);
        workload.Queries[0].Conditions.ShouldBe([new("a.b", ConditionUse.Equality), new("c`'d", ConditionUse.Equality), new("select", ConditionUse.Range)]);
        proposals.Proposals[0].OrderBy.ShouldBe("(`a.b`, `c\\`'d`, `select`)");
        selectivity.Columns.Select(s => (s.Expression, s.InSortingKey)).ShouldBe([("select", true), ("a.b", false), ("c`'d", false)]);
        selectivity.Queries.ShouldHaveSingleItem().Marks.ShouldBe(1);
        estimate.Unavailable.ShouldBeNull();
        estimate.Queries.ShouldHaveSingleItem().Reason.ShouldBeNull();
    }

    [Fact]
    public async Task Keys_are_proposed_and_their_selectivity_is_told()
    {
        await using var c = await CaseAsync();
        await c.SqlAsync("SELECT sum(v) FROM @t WHERE user = 5 AND ts >= '2026-01-02' FORMAT Null", "SELECT count() FROM @t FORMAT Null");

        var proposals = await c.Migrator.SuggestKeysAsync(c.Table, 1, Ct);
        var selectivity = await c.Migrator.KeySelectivityAsync(c.Table, ["country"], 1, Ct);
        var missing = await c.Migrator.KeySelectivityAsync(c.Table, ["no'such"], 1, Ct);

        proposals.None.ShouldBeNull();
        proposals.Proposals[0].OrderBy.ShouldBe("(`user`, `ts`)");
        selectivity.Unavailable.ShouldBeNull();
        selectivity.Basis.ShouldBe("counted on all 200,000 rows");
        selectivity.Columns.Select(s => (s.Expression, s.InSortingKey, s.Rows)).ShouldBe([("ts", true, 200_000L), ("country", false, 200_000L)]);
        selectivity.Columns[1].Distinct.ShouldBe(20);
        var share = selectivity.Queries.Single(q => q.Text.Contains("user = 5", StringComparison.Ordinal));
        share.Marks!.Value.ShouldBeInRange(1, share.TotalMarks);
        missing.Unavailable!.ShouldContain("no'such");
    }

    [Fact]
    public async Task What_Godwit_has_asked_itself_to_plan_is_no_query_of_the_table()
    {
        await using var c = await CaseAsync();

        await c.ProposeAsync(new RebuildRequest { Table = c.Table, Engine = "ReplacingMergeTree", ModifyColumns = ["v Int64"], PartitionBy = "country", Accept = ["key-identity", "column-cast", "versionless-replacing"] });

        (await c.Migrator.WorkloadAsync(c.Table, 1, Ct)).Queries.Select(q => q.Text).ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_queries_nothing_is_proposed_and_it_says_why()
    {
        await using var c = await CaseAsync();

        (await c.Migrator.SuggestKeysAsync(c.Table, 3, Ct)).None!.ShouldContain("the log of the last 3 days holds no finished SELECT");
        (await c.Migrator.WorkloadAsync(new QualifiedName(c.Database, "no'such"), 3, Ct)).Unavailable!.ShouldContain("There is no table");
    }

    [Fact]
    public async Task Without_a_log_it_says_so()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync("CREATE TABLE @t (id UInt64) ENGINE = MergeTree ORDER BY id");

        (await c.Migrator.WorkloadAsync(c.Table, 1, Ct)).Unavailable!.ShouldContain("has no system.query_log");
        (await c.Migrator.SuggestKeysAsync(c.Table, 1, Ct)).None!.ShouldContain("has no system.query_log");
        (await c.Migrator.KeySelectivityAsync(c.Table, [], 1, Ct)).WorkloadUnavailable!.ShouldContain("has no system.query_log");
    }

    private async Task<RebuildCase> CaseAsync() => await EventsAsync(logged.Engine);

    /// <summary>Events in the order of time, asked for by user.</summary>
    internal static async Task<RebuildCase> EventsAsync(Fixtures.EngineFixture engine, long rows = 200_000)
    {
        var c = await RebuildCase.NewAsync(engine);
        await c.SqlAsync(
            "CREATE TABLE @t (ts DateTime, user UInt32, country LowCardinality(String), v Float64) ENGINE = MergeTree ORDER BY ts",
            $"INSERT INTO @t SELECT toDateTime('2026-01-01 00:00:00') + number, number * 7919 % 5000, toString(number % 20), number / 3 FROM numbers({rows})",
            "CREATE TABLE @other (id UInt64) ENGINE = MergeTree ORDER BY id");
        return c;
    }
}
