using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>A table gets the rows of another one by links, and is emptied by a rollback.</summary>
public sealed class LinkTests(RealEngine real)
{
    private const string Link = "name: m\ndescription: For a test\noperations:\n  - { link: '{db}.t', to: '{db}.twin' }\n";

    [Fact]
    public async Task The_twin_has_all_rows_and_shares_their_files()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Link);

        for (var time = 0; time < 2; time++)
        {
            var run = await MigrationCase.RunAsync(migrator, "m");
            run.State.ShouldBe(RunState.Completed, run.Problem);
            run.Steps.ShouldHaveSingleItem().RowsDone.ShouldBe(100);
            (await HashesAsync(c, "twin")).ShouldBe(await HashesAsync(c, "t"));
            (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
            (await c.AskAsync<long>("SELECT count() FROM {db}.twin")).ShouldBe(0);
            (await c.AskAsync<long>("SELECT count() FROM {db}.t")).ShouldBe(100);
        }
    }

    [Fact]
    public async Task An_answer_that_is_lost_links_no_row_twice()
    {
        using var network = new LossyNetwork(sql => sql.Contains("REPLACE PARTITION", StringComparison.Ordinal), () => Task.CompletedTask);
        await using var c = await MigrationCase.NewAsync(real.Engine, network);
        await MakeAsync(c);

        var run = await MigrationCase.RunAsync(c.Knows(Link), "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        network.Sent.ShouldBe(5);
        (await c.AskAsync<long>("SELECT count() FROM {db}.twin")).ShouldBe(100);
    }

    [Fact]
    public async Task Rows_that_came_since_are_not_lost_by_a_rollback()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Link);
        var run = await MigrationCase.RunAsync(migrator, "m");
        await c.SqlAsync("OPTIMIZE TABLE {db}.twin FINAL", "INSERT INTO {db}.twin VALUES (1000, 3)");

        var refused = await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct);

        refused.State.ShouldBe(RunState.Completed);
        refused.Errors.ShouldContain(e => e.Message.Contains("twin on", StringComparison.Ordinal) && e.Message.Contains("partition 3", StringComparison.Ordinal));
        (await c.AskAsync<long>("SELECT count() FROM {db}.twin")).ShouldBe(101);
    }

    [Fact]
    public async Task Merges_since_do_not_count_as_rows()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("INSERT INTO {db}.t SELECT number, number % 4 FROM numbers(100, 10)");
        var migrator = c.Knows(Link);
        var run = await MigrationCase.RunAsync(migrator, "m");
        await c.SqlAsync("OPTIMIZE TABLE {db}.twin FINAL");

        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
    }

    [Theory]
    [InlineData("INSERT INTO {db}.twin VALUES (1, 1)", "has 1 row(s) already")]
    [InlineData("DROP TABLE {db}.twin; CREATE TABLE {db}.twin (a UInt64, p UInt8) ENGINE = Log", "has the engine Log")]
    public async Task What_cannot_be_linked_is_told_before_anything_is_done(string sql, string sentence)
    {
        await using var c = await NewAsync();
        await c.SqlAsync(sql.Split("; "));

        (await MigrationCase.RefusalAsync(c.Knows(Link), "m")).ShouldContain(sentence);
    }

    private static Task<string> HashesAsync(MigrationCase c, string table) => c.AskAsync<string>(
        $"SELECT arrayStringConcat(arraySort(groupArray(hash_of_all_files)), ',') FROM system.parts WHERE database = '{{db}}' AND table = '{table}' AND active");

    private async Task<MigrationCase> NewAsync()
    {
        var c = await MigrationCase.NewAsync(real.Engine);
        await MakeAsync(c);
        return c;
    }

    private static Task MakeAsync(MigrationCase c) => c.SqlAsync(
        "CREATE TABLE {db}.t (a UInt64, p UInt8) ENGINE = ReplacingMergeTree PARTITION BY p ORDER BY a",
        "INSERT INTO {db}.t SELECT number, number % 4 FROM numbers(100)",
        "CREATE TABLE {db}.twin (a UInt64, p UInt8) ENGINE = MergeTree PARTITION BY p ORDER BY a");
}
