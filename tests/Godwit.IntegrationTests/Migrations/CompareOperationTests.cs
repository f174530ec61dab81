using Godwit.Inspection;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Runs;
using Godwit.Steps;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>A migration counts two tables and keeps the report, whatever it says.</summary>
public sealed class CompareOperationTests(RealEngine real)
{
    private const string Head = "name: m\ndescription: For a test\noperations:\n";

    [Fact]
    public async Task Two_tables_are_compared_and_a_difference_is_told_and_stops_nothing()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Head + "  - compare: '{db}.a'\n    with: '{db}.b'\n    by: kind\n    where: id < 100\n");

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        run.Findings.Single().ShouldStartWith($"{c.Database}.b has 1 row fewer than {c.Database}.a (99 against 100)");
        var report = (await migrator.JournalAsync(run.RunId, most: 100, ct: MigrationCase.Ct)).Single(e => e.Kind == JournalEntryKind.Fact && e.Name == CompareTables.Fact);
        var comparison = System.Text.Json.JsonSerializer.Deserialize<ComparisonFinding>(report.Payload, PlanFormat.Json)!.Comparison!;
        comparison.Cuts.Single(cut => cut.By == "kind").Rows.ShouldBe([new ComparisonRow("1", 50, 49)]);
        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
    }

    [Fact]
    public async Task A_rebuilt_table_is_compared_with_its_old_one()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Head + "  - rebuild: '{db}.a'\n    orderBy: (kind, id)\n  - compare: '{db}.a'\n");

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        run.Findings.ShouldBe([$"No difference was found: {c.Database}.a_godwit_{run.RunId} and {c.Database}.a both have 200 rows."]);
    }

    [Theory]
    [InlineData("  - compare: '{db}.a'\n", "No earlier operation of this migration rebuilds {db}.a by a copy")]
    [InlineData("  - keepOld: '{db}.a'\n    as: '{db}.kept'\n", "No earlier operation of this migration rebuilds {db}.a by a copy")]
    public async Task Without_a_rebuild_before_it_there_is_no_old_table(string operation, string sentence)
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Head + operation);

        var proposal = await migrator.ProposeAsync(new Godwit.Migrations.MigrationRequest("m"), new(), MigrationCase.Ct);

        proposal.Plan.ShouldBeNull();
        proposal.Checks.Single(check => check.Blocks).Message.ShouldStartWith(sentence.Replace("{db}", c.Database, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Behind_a_rebuild_that_is_refused_only_its_refusal_is_told()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Head + "  - rebuild: '{db}.a'\n    orderBy: nothing\n  - compare: '{db}.a'\n  - keepOld: '{db}.a'\n    as: '{db}.kept'\n");

        var proposal = await migrator.ProposeAsync(new Godwit.Migrations.MigrationRequest("m"), new(), MigrationCase.Ct);

        proposal.Plan.ShouldBeNull();
        proposal.Checks.ShouldContain(check => check.Blocks);
        proposal.Checks.ShouldNotContain(check => check.Message.StartsWith("No earlier operation", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_cannot_be_compared_is_told_and_stops_nothing()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Head + "  - compare: '{db}.a'\n    with: '{db}.gone'\n");

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        run.Findings.Single().ShouldStartWith($"{c.Database}.a and {c.Database}.gone could not be compared: There is no table {c.Database}.gone");
    }

    private async Task<MigrationCase> NewAsync()
    {
        var c = await MigrationCase.NewAsync(real.Engine);
        foreach (var table in new[] { "a", "b" })
        {
            await c.SqlAsync(
                $"CREATE TABLE {{db}}.{table} (id UInt64, kind UInt8) ENGINE = MergeTree ORDER BY id",
                $"INSERT INTO {{db}}.{table} SELECT number, number % 2 FROM numbers(200){(table == "b" ? " WHERE number != 7" : "")}");
        }

        return c;
    }
}
