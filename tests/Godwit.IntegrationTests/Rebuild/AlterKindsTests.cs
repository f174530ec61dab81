using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

public sealed class AlterKindsTests(RealEngine real)
{
    private const string Columns = "d Date, k UInt32, s String, n UInt64";
    private const string Before = $"({Columns}) ENGINE = MergeTree ORDER BY k";

    /// <summary>What ClickHouse can do in place: the wish, as a whole definition.</summary>
    public static TheoryData<string, string> Wishes => new()
    {
        { "a table TTL", $"({Columns}) ENGINE = MergeTree ORDER BY k TTL d + toIntervalYear(50)" },
        { "a setting", $"({Columns}) ENGINE = MergeTree ORDER BY k SETTINGS merge_with_ttl_timeout = 7200" },
        { "a column at the end", $"({Columns}, e LowCardinality(String) DEFAULT 'x, (y') ENGINE = MergeTree ORDER BY k" },
        { "a column at the beginning", $"(e UInt8, {Columns}) ENGINE = MergeTree ORDER BY k" },
        { "a column in the middle", "(d Date, k UInt32, e UInt8, s String, n UInt64) ENGINE = MergeTree ORDER BY k" },
        { "another type", "(d Date, k UInt32, s String, n String) ENGINE = MergeTree ORDER BY k" },
        { "a codec and a comment", "(d Date, k UInt32, s String COMMENT 'it''s, (a', n UInt64 CODEC(Delta(8), ZSTD(3))) ENGINE = MergeTree ORDER BY k" },
        { "a default", "(d Date, k UInt32, s String DEFAULT toString(k), n UInt64) ENGINE = MergeTree ORDER BY k" },
        { "a column TTL", "(d Date, k UInt32, s String TTL d + toIntervalYear(50), n UInt64) ENGINE = MergeTree ORDER BY k" },
        { "fewer columns", "(d Date, k UInt32, s String) ENGINE = MergeTree ORDER BY k" },
        { "a table comment", $"({Columns}) ENGINE = MergeTree ORDER BY k COMMENT 'what ''it'' is'" },
        { "an index", $"({Columns}, INDEX i n TYPE minmax GRANULARITY 2) ENGINE = MergeTree ORDER BY k" },
        { "a constraint", $"({Columns}, CONSTRAINT c CHECK k >= 0) ENGINE = MergeTree ORDER BY k" },
        { "a projection", $"({Columns}, PROJECTION p (SELECT n, count() GROUP BY n)) ENGINE = MergeTree ORDER BY k" },
    };

    /// <summary>What a DDL text does not mention of the settings stays, so leaving them out takes none back.</summary>
    public static TheoryData<string, string> TakenBack => [.. Wishes.Where(row => row.Data.Item1 != "a setting")];

    [Theory]
    [MemberData(nameof(Wishes))]
    public async Task WhatClickHouseCanAlterBecomesTheWish(string what, string wish)
    {
        what.ShouldNotBeEmpty();
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await CreateAsync(c, Before, wish);
        var columns = await c.AskAsync<string>("SELECT arrayStringConcat(groupArray(name), ', ') FROM system.columns WHERE database || '.' || table = '@wish' AND name IN ('d', 'k', 's', 'n')");
        var rows = await c.RowsAsync("@t", columns);

        await c.RebuildAsync(new RebuildRequest { Table = c.Table, Ddl = "CREATE TABLE t " + wish }, "alter");

        (await c.RowsAsync("@t", columns)).ShouldBe(rows);
        (await c.DefinitionAsync("t")).ShouldBe(await c.DefinitionAsync("wish"));
    }

    [Theory]
    [MemberData(nameof(TakenBack))]
    public async Task WhatClickHouseTookOnIsTakenBack(string what, string wish)
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await CreateAsync(c, wish, Before);
        var rows = await c.RowsAsync("@t");
        var definition = await c.DefinitionAsync("wish");

        // MODIFY COLUMN leaves what its text does not mention, so these are copied.
        var takenByAlter = what is not ("a codec and a comment" or "a default" or "a column TTL");

        await c.RebuildAsync(new RebuildRequest { Table = c.Table, Ddl = "CREATE TABLE t " + Before }, takenByAlter ? "alter" : "block-log");

        (await c.DefinitionAsync("t")).ShouldBe(definition);
        (await c.AskAsync<long>("SELECT count() FROM @t")).ShouldBe(1000);
        rows.ShouldStartWith("(1000,");
    }

    [Fact]
    public async Task SingleChangesAreAltered()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await CreateAsync(
            c, Before, "(d Date, k UInt32, n String, e UInt8 DEFAULT 3) ENGINE = MergeTree ORDER BY k TTL d + toIntervalYear(50) SETTINGS merge_with_ttl_timeout = 7200");

        await c.RebuildAsync(
            new RebuildRequest
            {
                Table = c.Table,
                AddColumns = ["e UInt8 DEFAULT 3"],
                ModifyColumns = ["n String"],
                DropColumns = ["s"],
                Ttl = "d + INTERVAL 50 YEAR",
                Settings = ["merge_with_ttl_timeout=7200"],
            },
            "alter");

        (await c.DefinitionAsync("t")).ShouldBe(await c.DefinitionAsync("wish"));
        (await c.AskAsync<string>("SELECT toString((sum(e), sum(toUInt64(n)))) FROM @t")).ShouldBe("(3000,1498500)");
    }

    [Fact]
    public async Task AnAlterThatCannotBeTakenBackSaysSo()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await CreateAsync(c, Before, Before);
        var status = await c.RunAsync(new RebuildRequest { Table = c.Table, DropColumns = ["s"] }, "alter");
        status.State.ShouldBe(RunState.Completed, status.Problem);

        (await Should.ThrowAsync<WrongStateException>(() => c.Migrator.RollbackAsync(status.RunId, ct: RebuildCase.Ct)))
            .Message.ShouldContain("there is no way back");
    }

    [Fact]
    public async Task AnAlterThatFailedHalfwayIsRolledBack()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync($"CREATE TABLE @t {Before}", "INSERT INTO @t SELECT '2026-01-01', number, toString(number), number FROM numbers(1000)");
        var definition = await c.DefinitionAsync("t");
        var plan = (await c.ProposeAsync(new RebuildRequest { Table = c.Table, ModifyColumns = ["s UInt64"], Settings = ["merge_with_ttl_timeout=7200"], Ttl = "d + INTERVAL 50 YEAR" })).Plan!;
        plan.Strategy.ShouldBe("alter");
        var runId = await c.Migrator.CreateRunAsync(plan, new RunOptions(), RebuildCase.Ct);

        // What the checks saw is no longer so: the cast fails on the server.
        await c.SqlAsync("INSERT INTO @t VALUES ('2026-01-01', 5000, 'no number', 1)");
        var status = await c.Migrator.RunAsync(runId, ct: RebuildCase.Ct);
        status.State.ShouldBe(RunState.Failed);
        status.Problem.ShouldNotBeNull().ShouldContain("KILL MUTATION WHERE mutation_id");

        // A person decides which mutation is to die: it may be another one's.
        await c.SqlAsync($"KILL MUTATION WHERE database = '{c.Database}' AND table = 't'");
        var back = await c.Migrator.RollbackAsync(runId, ct: RebuildCase.Ct);
        back.State.ShouldBe(RunState.RolledBack, back.Problem);
        (await c.DefinitionAsync("t")).ShouldBe(definition);
        (await c.AskAsync<long>("SELECT count() FROM @t WHERE s = 'no number'")).ShouldBe(1);
    }

    [Fact]
    public async Task AnAlterThatFailedAfterItDestroyedValuesIsRolledBackWhenThatWasSaidTwice()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync($"CREATE TABLE @t {Before}", "INSERT INTO @t SELECT '2026-01-01', number, toString(number), number FROM numbers(1000)");
        var plan = (await c.ProposeAsync(new RebuildRequest { Table = c.Table, DropColumns = ["n"], ModifyColumns = ["s UInt64"] })).Plan!;
        plan.Steps.Select(s => s.Description).ShouldBe([$"ALTER TABLE {c.Table} DROP COLUMN IF EXISTS `n`", $"ALTER TABLE {c.Table} MODIFY COLUMN `s` UInt64"]);
        var runId = await c.Migrator.CreateRunAsync(plan, new RunOptions(), RebuildCase.Ct);
        await c.SqlAsync("INSERT INTO @t VALUES ('2026-01-01', 5000, 'no number', 1)");
        (await c.Migrator.RunAsync(runId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.Failed);
        await c.SqlAsync($"KILL MUTATION WHERE database = '{c.Database}' AND table = 't'");

        var asked = await c.Migrator.RollbackAsync(runId, ct: RebuildCase.Ct);

        asked.State.ShouldBe(RunState.Failed);
        asked.Problem.ShouldNotBeNull().ShouldContain("DROP COLUMN IF EXISTS `n`' was sent, and it destroys values");
        (await c.Migrator.RollbackAsync(runId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.RolledBack);
    }

    // The constraint, the TTL and the types hold for these rows.
    private static async Task CreateAsync(RebuildCase c, string table, string wish)
    {
        await c.SqlAsync($"CREATE TABLE @t {table}", $"CREATE TABLE @wish {wish}");
        await c.SqlAsync("INSERT INTO @t (d, k) SELECT '2026-01-01', number FROM numbers(1000) SETTINGS insert_null_as_default = 1");
        var columns = await c.AskAsync<string>("SELECT arrayStringConcat(groupArray(name), ',') FROM system.columns WHERE database || '.' || table = '@t'");
        if (columns.Split(',').Contains("n"))
        {
            await c.SqlAsync("TRUNCATE TABLE @t", "INSERT INTO @t (d, k, s, n) SELECT '2026-01-01', number, toString(number), number * 3 FROM numbers(1000)");
        }
    }
}
