using Godwit.Checks;
using Godwit.IntegrationTests.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>A server of 2018 keeps no block log, knows no EXCHANGE and no UUIDs: its tables are rebuilt by whole partitions, and nothing is lost.</summary>
public sealed class OldServerRebuildTests(OldServer server) : IClassFixture<OldServer>
{
    private const string Create =
        """
        CREATE TABLE @t (id UInt64, day Date, k UInt32, u UUID, n Nullable(Int32), tags Array(String), kind Enum8('a' = 1, 'b' = 2), m UInt64 MATERIALIZED id * 2)
        ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY id
        """;

    /// <summary>What every row adds up to, in any table that has the columns.</summary>
    private const string Figures = "toString(tuple(count(), sum(cityHash64(id, day, k, toString(u), ifNull(toString(n), '-'), tags, toString(kind))), sum(m)))";

    private static readonly RebuildRequest Sorted = new() { Table = new("?", "t"), OrderBy = "(k, id)", Strategy = "static" };

    public static TheoryData<string, RebuildRequest, string> Changes => new()
    {
        { "another sorting key", Sorted, "k, id" },
        { "another partition key", Sorted with { PartitionBy = "k % 3" }, "k, id" },
        { "another engine", Sorted with { Engine = "ReplacingMergeTree" , Accept = ["key-identity"] }, "k, id" },
        { "a sampling key", Sorted with { OrderBy = "(k, intHash32(k), id)", SampleBy = "intHash32(k)" }, "intHash32(k)" },
        { "another column type", Sorted with { ModifyColumns = ["k UInt64"] }, "k, id" },
        { "one more column", Sorted with { AddColumns = ["extra String DEFAULT 'none'"] }, "k, id" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_table_is_rebuilt_and_cleaned_up(string what, RebuildRequest request, string key)
    {
        await using var c = await NewAsync();
        var before = await FiguresAsync(c, "t");

        var run = await c.RunAsync(request with { Table = c.Table }, "static");

        run.State.ShouldBe(RunState.Completed, $"{what}: {run.Problem}");
        (await FiguresAsync(c, "t")).ShouldBe(before);
        (await c.DefinitionAsync("t")).ShouldContain(key);
        (await TablesAsync(c)).ShouldBe(["ledger", "t", $"t_godwit_{run.RunId}_r"]);
        (await c.Migrator.CleanUpAsync(run.RunId, ct: RebuildCase.Ct)).CleanedUp.ShouldBeTrue();
        (await TablesAsync(c)).ShouldBe(["ledger", "t"]);
    }

    [Theory]
    [InlineData("toYYYYMM(day)")]
    [InlineData("k % 3")]
    public async Task A_rollback_keeps_what_was_written_since(string partitionBy)
    {
        await using var c = await NewAsync();
        var run = await c.RunAsync(Sorted with { Table = c.Table, PartitionBy = partitionBy });
        run.State.ShouldBe(RunState.Completed, run.Problem);
        await InsertAsync(c, 50_000, 300);
        await c.SqlAsync("ALTER TABLE @t DROP PARTITION " + (partitionBy == "k % 3" ? "2" : "201803"), "OPTIMIZE TABLE @t FINAL");
        var before = await FiguresAsync(c, "t");

        run = await c.Migrator.RollbackAsync(run.RunId, ct: RebuildCase.Ct);

        run.State.ShouldBe(RunState.RolledBack, run.Problem);
        (await FiguresAsync(c, "t")).ShouldBe(before);
        (await c.DefinitionAsync("t")).ShouldContain("PARTITION BY toYYYYMM(day) ORDER BY id");
        (await TablesAsync(c)).ShouldBe(["ledger", "t"]);
    }

    [Fact]
    public async Task A_rollback_of_a_table_that_nobody_wrote_to_gives_the_old_one_its_name_back()
    {
        await using var c = await NewAsync();
        var (before, made) = (await FiguresAsync(c, "t"), await MadeAsync(c));
        var run = await c.RunAsync(Sorted with { Table = c.Table, AddColumns = ["extra UInt8"] });

        run = await c.Migrator.RollbackAsync(run.RunId, ct: RebuildCase.Ct);

        run.State.ShouldBe(RunState.RolledBack, run.Problem);
        (await FiguresAsync(c, "t"), await MadeAsync(c)).ShouldBe((before, made));
        (await TablesAsync(c)).ShouldBe(["ledger", "t"]);
    }

    [Fact]
    public async Task A_rollback_that_would_lose_values_is_refused_and_the_run_stays_completed()
    {
        await using var c = await NewAsync();
        var run = await c.RunAsync(Sorted with { Table = c.Table, DropColumns = ["tags"] });
        await c.SqlAsync("INSERT INTO @t (id, day, k) VALUES (1, '2018-01-01', 1)");

        run = await c.Migrator.RollbackAsync(run.RunId, ct: RebuildCase.Ct);

        run.State.ShouldBe(RunState.Completed);
        run.Problem.ShouldNotBeNull().ShouldContain("has been written to since the cutover, and not every value of the old table can be had");
    }

    [Fact]
    public async Task What_is_written_before_the_cutover_is_in_the_new_table()
    {
        await using var c = await NewAsync();

        var run = await c.RunAsync(
            Sorted with { Table = c.Table },
            async () =>
            {
                await InsertAsync(c, 60_000, 500);
                await c.SqlAsync("ALTER TABLE @t DROP PARTITION 201803");
                await c.SqlAsync("OPTIMIZE TABLE @t PARTITION 201801 FINAL");
            });

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await FiguresAsync(c, "t")).ShouldBe(await FiguresAsync(c, "ledger", "toYYYYMM(day) != 201803"));
    }

    [Fact]
    public async Task Writers_that_nothing_can_hold_are_refused()
    {
        await using var c = await NewAsync();

        var proposal = await c.Migrator.ProposeAsync(Sorted with { Table = c.Table, Strategy = "auto" }, new RunOptions(), RebuildCase.Ct);

        proposal.Plan.ShouldBeNull();
        proposal.Checks.Where(r => r.Blocks).ShouldHaveSingleItem().Message.ShouldContain("or pause the writers and use --strategy static");
        proposal.Checks.Where(r => r.Verdict == CheckVerdict.Warning).ShouldHaveSingleItem().Message.ShouldContain("does not tell how much disk is free");
        (await TablesAsync(c)).ShouldBe(["ledger", "t"]);
    }

    [Fact]
    public async Task A_definition_that_the_server_refuses_leaves_nothing_behind()
    {
        await using var c = await NewAsync();

        var proposal = await c.Migrator.ProposeAsync(Sorted with { Table = c.Table, OrderBy = "noSuchFunction(k)" }, new RunOptions(), RebuildCase.Ct);

        proposal.Checks.ShouldHaveSingleItem().Message.ShouldContain("The server refuses the definition");
        (await TablesAsync(c)).ShouldBe(["ledger", "t"]);
    }

    private async Task<RebuildCase> NewAsync()
    {
        var c = await RebuildCase.NewAsync(server.Fixture);
        await c.SqlAsync(Create, Create.Replace("@t", "@ledger", StringComparison.Ordinal));
        await InsertAsync(c, 0, 10_000);
        await InsertAsync(c, 10_000, 5_000);
        return c;
    }

    private static Task InsertAsync(RebuildCase c, int from, int count) => c.SqlAsync([.. new[] { "t", "ledger" }.Select(t =>
        $"""
         INSERT INTO @{t} (id, day, k, u, n, tags, kind) SELECT number, toDate('2018-01-01') + number % 90, number % 7, toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0'),
             if(number % 2 = 0, NULL, toInt32(number)), [toString(number), 'x'], if(number % 3 = 0, 'a', 'b') FROM numbers({from}, {count})
         """)]);

    private static Task<string> FiguresAsync(RebuildCase c, string table, string where = "1") => c.AskAsync<string>($"SELECT {Figures} FROM @{table} WHERE {where}");

    private static Task<string> MadeAsync(RebuildCase c) => c.AskAsync<string>("SELECT toString(min(modification_time)) FROM system.parts WHERE database = '@' AND table = 't' AND active".Replace("@", c.Database, StringComparison.Ordinal));

    private static async Task<IReadOnlyList<string>> TablesAsync(RebuildCase c) =>
        [.. (await c.Gateway.QueryAsync($"SELECT name FROM system.tables WHERE database = '{c.Database}' ORDER BY name", ct: RebuildCase.Ct)).Select(r => r["name"])];
}
