using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>On today's server, too, what the block log cannot follow without holding merges is copied by whole partitions, when the writers can be paused.</summary>
public sealed class NewServerPauseTests(RealEngine real)
{
    private const string Figures = "SELECT toString((sum(n), sum(n * key), uniqExact(key)))";

    [Theory]
    [InlineData("SummingMergeTree(n)", "key % 3", "key % 3")]
    [InlineData("SummingMergeTree(n)", "key % 3", "key % 2")]
    [InlineData("AggregatingMergeTree", "key % 3", "key % 3")]
    public async Task Rows_that_merges_fold_are_all_there_after_the_cutover_and_after_the_rollback(string engine, string partitions, string newPartitions)
    {
        await using var c = await NewAsync(engine, partitions);
        var request = Wish(c) with { PartitionBy = newPartitions };
        (await c.ProposeAsync(request)).Plan!.Steps.Select(s => s.Kind).Distinct().ShouldBe(["create-staging", "copy-whole-partition", "paused-cut-over"]);

        var run = await c.RunAsync(
            request,
            async () =>
            {
                await InsertAsync(c, 2000);
                await c.SqlAsync("OPTIMIZE TABLE @t FINAL");
            });

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (run.Strategy, run.Cutover!.PausedSeconds is > 0).ShouldBe(("pause-feed", true));
        await RequireExactAsync(c);
        (await c.DefinitionAsync("t")).ShouldNotContain("max_bytes_to_merge");
        await InsertAsync(c, 4000);
        await c.SqlAsync("OPTIMIZE TABLE @t FINAL");
        run = await c.Migrator.RollbackAsync(run.RunId, ct: RebuildCase.Ct);
        run.State.ShouldBe(RunState.RolledBack, run.Problem);
        await RequireExactAsync(c);
        (await c.DefinitionAsync("t")).ShouldBe(await c.DefinitionAsync("ledger"));
        (await c.AskAsync<long>($"SELECT count() FROM system.tables WHERE database = '{c.Database}'")).ShouldBe(2);
    }

    [Fact]
    public async Task Merges_go_on_when_the_cutover_is_refused()
    {
        await using var c = await NewAsync("SummingMergeTree(n)", "key % 3");
        var run = await c.RunAsync(Wish(c), () => c.SqlAsync("ALTER TABLE @t ADD COLUMN extra UInt8"));

        run.State.ShouldBe(RunState.Failed);
        run.Problem.ShouldNotBeNull().ShouldContain("was altered during the run (column extra");
        await c.SqlAsync("OPTIMIZE TABLE @t FINAL SETTINGS optimize_throw_if_noop = 1");
        (await c.Migrator.RollbackAsync(run.RunId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.RolledBack);
        await RequireExactAsync(c);
    }

    [Fact]
    public async Task A_writer_that_does_not_pause_is_found_and_the_names_stay()
    {
        await using var c = await NewAsync("SummingMergeTree(n)", "key % 3");
        var number = 0;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(RebuildCase.Ct);
        var writer = Task.Run(
            async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    await c.SqlAsync($"INSERT INTO @t SELECT {++number} % 50, 1 FROM numbers(1)", $"INSERT INTO @ledger SELECT {number} % 50, 1 FROM numbers(1)");
                }
            },
            RebuildCase.Ct);

        var run = await c.RunAsync(Wish(c));
        await stop.CancelAsync();
        await writer;

        run.State.ShouldBe(RunState.Failed, run.Problem);
        run.Problem.ShouldNotBeNull().ShouldContain("nothing may write");
        (await c.Migrator.ResumeAsync(run.RunId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.Completed);
        await RequireExactAsync(c);
    }

    private static RebuildRequest Wish(RebuildCase c) =>
        new() { Table = c.Table, OrderBy = "(n2, key)", Accept = ["key-identity"], PauseHook = "sql:SELECT 1", ResumeHook = "sql:SELECT 1" };

    private async Task<RebuildCase> NewAsync(string engine, string partitions)
    {
        var c = await RebuildCase.NewAsync(real.Engine);
        string Create(string name) =>
            $"CREATE TABLE @{name} (key UInt32, n SimpleAggregateFunction(sum, Int64), n2 UInt8 MATERIALIZED key % 4) ENGINE = {engine} PARTITION BY {partitions} ORDER BY (key, n2)";
        await c.SqlAsync(Create("t"), Create("ledger"));
        await InsertAsync(c, 0);
        await InsertAsync(c, 1000);
        return c;
    }

    private static Task InsertAsync(RebuildCase c, int from) => c.SqlAsync(
        $"INSERT INTO @t SELECT number % 50, 1 FROM numbers({from}, 1000)", $"INSERT INTO @ledger SELECT number % 50, 1 FROM numbers({from}, 1000)");

    private static async Task RequireExactAsync(RebuildCase c) => (await c.AskAsync<string>($"{Figures} FROM @t")).ShouldBe(await c.AskAsync<string>($"{Figures} FROM @ledger"));
}
