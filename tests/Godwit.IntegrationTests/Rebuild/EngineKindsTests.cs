using Godwit.Checks;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

public sealed class EngineKindsTests(RealEngine real)
{
    private const string AllRows = "SELECT * FROM {0}";
    private const string Final = "SELECT * FROM {0} FINAL";
    private const string Sums = "SELECT a, b, sum(v), sum(s) FROM {0} GROUP BY a, b";
    private const string States = "SELECT a, b, sum(s) FROM {0} GROUP BY a, b";
    private const string Signs = "SELECT a, b, sum(sign) AS n, sum(v * sign) FROM {0} GROUP BY a, b HAVING n != 0";

    [Theory]
    [InlineData("MergeTree", AllRows, "block-log")]
    [InlineData("ReplacingMergeTree(version)", Final, "block-log")]
    [InlineData("ReplacingMergeTree(version, gone)", Final, "block-log")]
    [InlineData("SummingMergeTree", Sums, "block-log")]
    [InlineData("SummingMergeTree((v, s))", Sums, "block-log")]
    [InlineData("AggregatingMergeTree", States, "block-log")]
    [InlineData("CollapsingMergeTree(sign)", Signs, "block-log")]
    [InlineData("VersionedCollapsingMergeTree(sign, pair)", Signs, "block-log")]
    public async Task AnEngineKeepsItsRowsInAnotherOrderWhileRowsArrive(string engine, string rows, string strategy)
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await CreateAsync(c, engine);
        await InsertAsync(c, 1);
        await InsertAsync(c, 2);

        var status = await c.RunAsync(new RebuildRequest { Table = c.Table, OrderBy = "(b, a)" }, () => InsertAsync(c, 3), () => InsertAsync(c, 4));

        status.State.ShouldBe(RunState.Completed, status.Problem);
        status.Strategy.ShouldBe(strategy);
        await ShouldEqualTwinAsync(c, rows);
        (await c.AskAsync<string>($"SELECT sorting_key FROM system.tables WHERE database = '{c.Database}' AND name = 't'")).ShouldStartWith("b, a");
    }

    [Fact]
    public async Task ReplacingWithoutAVersionIsRefusedUnlessAccepted()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await CreateAsync(c, "ReplacingMergeTree");
        await InsertAsync(c, 1);
        await InsertAsync(c, 2);
        var request = new RebuildRequest { Table = c.Table, OrderBy = "(b, a)" };

        var refused = await c.Migrator.ProposeAsync(request, new RunOptions(), RebuildCase.Ct);
        refused.Plan.ShouldBeNull();
        refused.Checks.Single(r => r.Blocks).Message.ShouldContain("keeps the row that was inserted last");

        var status = await c.RunAsync(request with { Accept = ["versionless-replacing"] }, () => InsertAsync(c, 3));
        status.State.ShouldBe(RunState.Completed, status.Problem);
        await ShouldEqualTwinAsync(c, Final);
    }

    [Fact]
    public async Task ReplacingWithoutAVersionIsRebuiltStatically()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await CreateAsync(c, "ReplacingMergeTree");
        await InsertAsync(c, 1);
        await InsertAsync(c, 2);
        await InsertAsync(c, 3);

        await c.RebuildAsync(new RebuildRequest { Table = c.Table, OrderBy = "(b, a)", Strategy = "static" }, "static");

        await ShouldEqualTwinAsync(c, Final);
    }

    [Theory]
    [InlineData("ReplacingMergeTree(version)", "ReplacingMergeTree(version)", "a")]
    [InlineData("MergeTree", "ReplacingMergeTree(version)", "a")]
    [InlineData("SummingMergeTree", "SummingMergeTree", "a")]
    [InlineData("AggregatingMergeTree", "AggregatingMergeTree", "a")]
    public async Task AKeyOfAnotherIdentityIsRefusedWithThePredictedLossUnlessAccepted(string from, string to, string key)
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await CreateAsync(c, from);
        await InsertAsync(c, 1);
        var request = new RebuildRequest { Table = c.Table, OrderBy = key, Engine = from == to ? null : to };

        var refused = await c.Migrator.ProposeAsync(request, new RunOptions(), RebuildCase.Ct);
        refused.Plan.ShouldBeNull();
        refused.Checks.Single(r => r.Blocks).ShouldBe(
            refused.Checks.Single(r => r.Check == "key-identity" && r.Verdict == CheckVerdict.Refused && r.Message.Contains("of 5000 rows, 4900 would be folded", StringComparison.Ordinal)));

        await c.RebuildAsync(request with { Accept = ["key-identity"] }, "block-log");
        await c.SqlAsync("OPTIMIZE TABLE @t FINAL");
        (await c.AskAsync<long>("SELECT uniqExact(a) FROM @t")).ShouldBe(100);
        (await c.AskAsync<long>("SELECT count() FROM @t")).ShouldBe(100);
        (await c.AskAsync<long>("SELECT sum(s) FROM @t") == await c.AskAsync<long>("SELECT sum(s) FROM @twin")).ShouldBe(!to.StartsWith("Replacing", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ReplacingMergeTree(version)", "MergeTree")]
    [InlineData("SummingMergeTree", "MergeTree")]
    public async Task OnlyAnotherEngineLinksThePartsToMergeTree(string from, string to)
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await CreateAsync(c, from);
        await InsertAsync(c, 1);
        await InsertAsync(c, 2);
        await c.SqlAsync("OPTIMIZE TABLE @t", "OPTIMIZE TABLE @twin");
        var request = new RebuildRequest { Table = c.Table, Engine = to };
        var plan = (await c.ProposeAsync(request)).Plan!;
        plan.Steps.ShouldContain(s => s.Kind == "link-partition");
        plan.Steps.ShouldNotContain(s => s.Kind == "copy-partition");

        var status = await c.RunAsync(request, () => InsertAsync(c, 3));

        status.State.ShouldBe(RunState.Completed, status.Problem);
        await ShouldEqualTwinAsync(c, AllRows);
        (await c.DefinitionAsync("t")).ShouldContain("ENGINE = MergeTree");
    }

    [Fact]
    public async Task MergeTreeBecomesReplacingByCopy()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await CreateAsync(c, "MergeTree");
        await InsertAsync(c, 1);
        await InsertAsync(c, 2);
        await c.SqlAsync("OPTIMIZE TABLE @t FINAL");
        var request = new RebuildRequest { Table = c.Table, Engine = "ReplacingMergeTree(version)", Accept = ["key-identity"] };
        (await c.ProposeAsync(request)).Plan!.Steps.ShouldContain(s => s.Kind == "copy-partition");

        var status = await c.RunAsync(request, () => InsertAsync(c, 3));

        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await c.RowsAsync("@t FINAL", "a, b, version")).ShouldBe(
            await c.RowsAsync("(SELECT a, b, max(version) FROM @twin GROUP BY a, b)"));
    }

    private static Task CreateAsync(RebuildCase c, string engine)
    {
        string Create(string name) =>
            $"""
             CREATE TABLE @{name} (a UInt32, b UInt32, v UInt64, s SimpleAggregateFunction(sum, UInt64), version UInt64, gone UInt8, sign Int8, pair UInt8)
             ENGINE = {engine} PARTITION BY a % 3 ORDER BY (a, b){(engine == "AggregatingMergeTree" ? " SETTINGS allow_dimensions_outside_sorting_key = 1" : "")}
             """;
        return c.SqlAsync(Create("t"), Create("twin"));
    }

    // Every insert is a newer version of some of 5000 keys; what is cancelled was there before.
    private static Task InsertAsync(RebuildCase c, int number)
    {
        string Insert(string name) =>
            $"""
             INSERT INTO @{name} SELECT number % 100, intDiv(number, 100), number * 10, number % 13, {number}, number % 5 = 0 AND {number} = 3,
                 {(number % 2 == 0 ? -1 : 1)}, {(number + 1) / 2} FROM numbers(5000) WHERE number % {1 << (number - 1)} = 0
             """;
        return c.SqlAsync(Insert("t"), Insert("twin"));
    }

    private static async Task ShouldEqualTwinAsync(RebuildCase c, string rows)
    {
        string From(string table) => $"({string.Format(System.Globalization.CultureInfo.InvariantCulture, rows, table)})";
        (await c.RowsAsync(From("@t"))).ShouldBe(await c.RowsAsync(From("@twin")));
    }
}
