using Godwit.ClickHouse;
using Godwit.Operations;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>Partitions are moved, replaced and dropped, and every rollback brings back what was there.</summary>
public sealed class PartitionTests(RealEngine real)
{
    private const string Head = "name: m\ndescription: For a test\noperations:\n";

    /// <summary>An operation, and the rows of partition 1 in the two tables after it.</summary>
    public static TheoryData<string, string> Operations => new()
    {
        { "movePartition: '{db}.a'\n    partition: '1'\n    to: '{db}.b'", "0 in a, 100 in b" },
        { "dropPartition: '{db}.a'\n    partition: '1'", "0 in a, 0 in b" },
        { "replacePartition: '{db}.a'\n    partition: '1'\n    from: '{db}.full'", "7 in a, 0 in b" },
        { "replacePartition: '{db}.b'\n    partition: '1'\n    from: '{db}.a'", "100 in a, 100 in b" },
    };

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task A_partition_is_changed_and_a_rollback_brings_it_back(string operation, string after)
    {
        await using var c = await NewAsync();
        var migrator = c.Knows($"{Head}  - {operation}\n");
        var before = await RowsAsync(c);

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await PartitionAsync(c)).ShouldBe(after);
        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await RowsAsync(c)).ShouldBe(before);
        (await migrator.RunAsync(await MigrationCase.CreateAsync(migrator, "m"), ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);
        (await PartitionAsync(c)).ShouldBe(after);
    }

    [Fact]
    public async Task Rows_that_arrive_in_a_dropped_partition_stay_when_the_old_ones_come_back()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows($"{Head}  - dropPartition: '{{db}}.a'\n    partition: '1'\n");
        var run = await MigrationCase.RunAsync(migrator, "m");
        await c.SqlAsync("INSERT INTO {db}.a VALUES (1, 1000)");

        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);

        (await PartitionAsync(c)).ShouldBe("101 in a, 0 in b");
    }

    [Fact]
    public async Task A_rollback_that_would_take_new_rows_along_is_refused()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows($"{Head}  - movePartition: '{{db}}.a'\n    partition: '1'\n    to: '{{db}}.b'\n");
        var run = await MigrationCase.RunAsync(migrator, "m");
        await c.SqlAsync("INSERT INTO {db}.b VALUES (1, 1000)");

        var refused = await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct);

        refused.State.ShouldBe(RunState.Completed);
        refused.Problem!.ShouldContain("has rows that came after");
        await c.SqlAsync("ALTER TABLE {db}.b DELETE WHERE id = 1000 SETTINGS mutations_sync = 1");
        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
    }

    [Theory]
    [InlineData("a", "full", false)]
    [InlineData("b", "a", false)]
    [InlineData("a", "full", true)]
    [InlineData("b", "a", true)]
    public async Task What_is_written_after_a_replacement_was_refused_stays(string table, string from, bool isResumed)
    {
        await using var c = await NewAsync();
        var migrator = c.Knows($"{Head}  - replacePartition: '{{db}}.{table}'\n    partition: '1'\n    from: '{{db}}.{from}'\n");
        var runId = await MigrationCase.CreateAsync(migrator, "m");
        await c.SqlAsync($"ALTER TABLE {{db}}.{from} ADD COLUMN more UInt8");
        (await migrator.RunAsync(runId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Failed);
        await c.SqlAsync($"ALTER TABLE {{db}}.{from} DROP COLUMN more", $"INSERT INTO {{db}}.{table} VALUES (1, 1000)");
        var before = await TableAsync();

        if (isResumed)
        {
            (await migrator.ResumeAsync(runId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);
        }

        (await migrator.RollbackAsync(runId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await TableAsync()).ShouldBe(before);
        (await c.EverythingAsync()).ShouldNotContain("_godwit_");

        Task<string> TableAsync() => c.AskAsync<string>($"SELECT toString((count(), sum(cityHash64(*)))) FROM {{db}}.{table}");
    }

    [Fact]
    public async Task Nothing_is_replaced_from_a_table_that_was_emptied_since_the_plan()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows($"{Head}  - replacePartition: '{{db}}.a'\n    partition: '1'\n    from: '{{db}}.full'\n");
        var runId = await MigrationCase.CreateAsync(migrator, "m");
        await c.SqlAsync("TRUNCATE TABLE {db}.full");
        var before = await RowsAsync(c);

        var run = await migrator.RunAsync(runId, ct: MigrationCase.Ct);

        run.State.ShouldBe(RunState.Failed);
        run.Problem!.ShouldContain("has no rows in partition 1 any more");
        (await PartitionAsync(c)).ShouldBe("100 in a, 0 in b");
        (await migrator.RollbackAsync(runId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await RowsAsync(c)).ShouldBe(before);
    }

    [Fact]
    public async Task The_clean_up_drops_what_was_kept_of_all_partitions()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows($"""
            {Head}  - forEach: SELECT DISTINCT partition_id FROM system.parts WHERE database = '{c.Database}' AND table = 'a' AND active
                operations:
                  - dropPartition: '{c.Database}.a'
                    partition: {"${partition_id}"}
            """);
        var run = await MigrationCase.RunAsync(migrator, "m");
        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await c.AskAsync<long>($"SELECT toInt64(count()) FROM {{db}}.a_godwit_{run.RunId}_k")).ShouldBe(200);

        (await migrator.CleanUpAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);

        (await c.AskAsync<string>("SELECT arrayStringConcat(arraySort(groupArray(name)), ' ') FROM system.tables WHERE database = '{db}'")).ShouldBe("a b empty full");
    }

    [Theory]
    [InlineData("movePartition: '{db}.a'\n    partition: '1'\n    to: '{db}.full'", "could not tell from those that are moved")]
    [InlineData("movePartition: '{db}.a'\n    partition: '1'\n    to: '{db}.other'", "ORDER BY")]
    [InlineData("replacePartition: '{db}.a'\n    partition: '1'\n    from: '{db}.empty'", "no rows in partition 1")]
    [InlineData("dropPartition: '{db}.memory'\n    partition: '1'", "has no partitions")]
    public async Task What_does_not_fit_is_refused(string operation, string sentence)
    {
        await using var c = await NewAsync();
        await c.SqlAsync(
            "CREATE TABLE {db}.other (part UInt8, id UInt64) ENGINE = MergeTree PARTITION BY part ORDER BY (id, part)", "CREATE TABLE {db}.memory (part UInt8, id UInt64) ENGINE = Memory");

        (await MigrationCase.RefusalAsync(c.Knows($"{Head}  - {operation}\n"), "m")).ShouldContain(sentence);
    }

    [Theory]
    [InlineData("dropPartition: '{db}.a'\n    partition: '1'\n  - replacePartition: '{db}.a'\n    partition: '1'\n    from: '{db}.full'", "is replaced or dropped 2 times")]
    [InlineData("movePartition: '{db}.a'\n    partition: '1'\n    to: '{db}.b'\n  - movePartition: '{db}.full'\n    partition: '1'\n    to: '{db}.b'", "is moved to 2 times")]
    public async Task What_could_not_be_put_back_is_refused(string operations, string sentence)
    {
        await using var c = await NewAsync();

        (await MigrationCase.RefusalAsync(c.Knows($"{Head}  - {operations}\n"), "m")).ShouldContain(sentence);
    }

    [Fact]
    public void All_that_is_wrong_with_a_definition_is_told_at_once() =>
        new PartitionOperation(PartitionAction.Move, new QualifiedName("a", "b"), " ") { Other = new QualifiedName("a", "b") }.Problems()
            .ShouldBe(["The partition's id is missing; SELECT DISTINCT partition_id FROM system.parts shows them.", "Both tables are a.b."]);

    private static Task<string> PartitionAsync(MigrationCase c) => c.AskAsync<string>(
        "SELECT concat(toString((SELECT count() FROM {db}.a WHERE part = 1)), ' in a, ', toString((SELECT count() FROM {db}.b WHERE part = 1)), ' in b')");

    private static Task<string> RowsAsync(MigrationCase c) => c.AskAsync<string>(
        "SELECT toString(((SELECT (count(), sum(cityHash64(*))) FROM {db}.a), (SELECT (count(), sum(cityHash64(*))) FROM {db}.b), (SELECT groupArray(name) FROM (SELECT name FROM system.tables WHERE database = '{db}' ORDER BY name))))");

    private async Task<MigrationCase> NewAsync()
    {
        var c = await MigrationCase.NewAsync(real.Engine);
        foreach (var name in new[] { "a", "b", "empty", "full" })
        {
            await c.SqlAsync($"CREATE TABLE {{db}}.{name} (part UInt8, id UInt64) ENGINE = MergeTree PARTITION BY part ORDER BY id");
        }

        await c.SqlAsync(
            "INSERT INTO {db}.a SELECT number % 2, number FROM numbers(100)", "INSERT INTO {db}.a SELECT number % 2, number FROM numbers(100, 100)", "INSERT INTO {db}.full SELECT 1, number FROM numbers(7)");
        return c;
    }
}
