using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

public sealed class NamesTests(RealEngine real)
{
    private const string Long =
        "a_name_of_180_characters_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

    [Theory]
    [InlineData("with.dots.in it")]
    [InlineData("it's \"quoted\"")]
    [InlineData("back`tick")]
    [InlineData("back\\slash\\n")]
    [InlineData("größe 表 🐦")]
    [InlineData("x🐦🐦🐦🐦🐦🐦🐦🐦🐦🐦")]
    [InlineData("100% {a:b} ?x;--")]
    [InlineData("select")]
    [InlineData(Long)]
    public async Task AnyNameOfATableAndOfAColumnIsRebuiltRolledBackAndRebuiltAgain(string name)
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        var table = new QualifiedName(c.Database, name);
        var column = Sql.Identifier(name);
        await c.Gateway.ExecuteAsync(
            $"CREATE TABLE {table.ToSql()} (k UInt32, {column} Nullable(String), INDEX {column} {column} TYPE bloom_filter) ENGINE = MergeTree PARTITION BY k % 2 ORDER BY k COMMENT {Sql.Literal(name)}",
            ct: RebuildCase.Ct);
        await c.Gateway.ExecuteAsync($"INSERT INTO {table.ToSql()} SELECT number, {Sql.Literal(name)} || toString(number) FROM numbers(1000)", ct: RebuildCase.Ct);
        var rows = await c.RowsAsync(table.ToSql());
        var definition = await c.DefinitionAsync(table);
        var request = new RebuildRequest { Table = table, OrderBy = $"(-k, ifNull({column}, ''))" };

        var status = await c.RunAsync(request);
        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await c.RowsAsync(table.ToSql())).ShouldBe(rows);
        var refused = await c.Migrator.ProposeAsync(request with { OrderBy = "k" }, new RunOptions(), RebuildCase.Ct);
        refused.Checks.ShouldContain(r => r.Check == "leftovers" && r.Blocks);

        var back = await c.Migrator.RollbackAsync(status.RunId, ct: RebuildCase.Ct);
        back.State.ShouldBe(RunState.RolledBack, back.Problem);
        (await c.RowsAsync(table.ToSql())).ShouldBe(rows);
        (await c.DefinitionAsync(table)).ShouldBe(definition);

        await c.RebuildAsync(request);
        (await c.RowsAsync(table.ToSql())).ShouldBe(rows);
        (await c.AskAsync<long>($"SELECT count() FROM system.tables WHERE database = '{c.Database}'")).ShouldBe(1);
    }

    [Fact]
    public async Task AnyNameOfADatabaseIsRebuilt()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        var database = $"{c.Database} `my\\.'db\" ü";
        await c.Gateway.ExecuteAsync($"CREATE DATABASE {Sql.Identifier(database)}", ct: RebuildCase.Ct);
        var table = new QualifiedName(database, "t.t");
        await c.Gateway.ExecuteAsync($"CREATE TABLE {table.ToSql()} (a UInt32, b UInt32) ENGINE = MergeTree ORDER BY a", ct: RebuildCase.Ct);
        await c.Gateway.ExecuteAsync($"INSERT INTO {table.ToSql()} SELECT number, number FROM numbers(1000)", ct: RebuildCase.Ct);
        var rows = await c.RowsAsync(table.ToSql());

        await c.RebuildAsync(new RebuildRequest { Table = table, OrderBy = "(b, a)" });

        (await c.RowsAsync(table.ToSql())).ShouldBe(rows);
        await c.Gateway.ExecuteAsync($"DROP DATABASE {Sql.Identifier(database)}", ct: RebuildCase.Ct);
    }
}
