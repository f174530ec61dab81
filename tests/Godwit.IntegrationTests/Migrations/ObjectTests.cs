using Godwit.Operations;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>Tables, views and dictionaries are made, taken away, detached and attached, each with a way back.</summary>
public sealed class ObjectTests(RealEngine real)
{
    private const string Head = "name: m\ndescription: For a test\noperations:\n";

    public static TheoryData<string> Operations =>
    [
        "create: CREATE TABLE {db}.new (a UInt8) ENGINE = MergeTree ORDER BY a",
        "create: CREATE TABLE `{db}`.`new one` (a UInt8) ENGINE = Memory",
        "create: CREATE DICTIONARY {db}.new (id UInt64, s String) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 't' DB '{db}')) LAYOUT(FLAT()) LIFETIME(0)",
        "create: CREATE VIEW {db}.new AS SELECT 1 AS a",
        "create: CREATE MATERIALIZED VIEW {db}.new TO {db}.sink AS SELECT id, s FROM {db}.t",
        "drop: '{db}.sink'",
        "drop: '{db}.dict'",
        "drop: '{db}.plain'",
        "drop: '{db}.mv'",
        "detach: '{db}.mv'",
        "attach: '{db}.away'",
    ];

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task What_was_changed_is_put_back_by_a_rollback_and_changed_again(string operation)
    {
        await using var c = await NewAsync();
        var migrator = c.Knows($"{Head}  - {operation}\n");
        var before = await StateAsync(c);

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        var after = await StateAsync(c);
        after.ShouldNotBe(before);
        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await StateAsync(c)).ShouldBe(before);
        var again = await MigrationCase.RunAsync(migrator, "m");
        again.State.ShouldBe(RunState.Completed, again.Problem);
        (await migrator.CleanUpAsync(again.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM system.tables WHERE database = '{db}' AND position(name, '_godwit_') > 0")).ShouldBe(0);
    }

    [Fact]
    public async Task What_a_person_has_made_is_not_dropped_by_a_rollback()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows($"{Head}  - create: CREATE TABLE {{db}}.new AS {{db}}.gone\n");
        var failed = await MigrationCase.RunAsync(migrator, "m");
        failed.State.ShouldBe(RunState.Failed);
        await c.SqlAsync("CREATE TABLE {db}.new (a UInt8) ENGINE = MergeTree ORDER BY a");

        var again = await migrator.ResumeAsync(failed.RunId, ct: MigrationCase.Ct);

        again.State.ShouldBe(RunState.Failed);
        again.Problem!.ShouldContain("is there already");
        (await migrator.RollbackAsync(failed.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM system.tables WHERE database = '{db}' AND name = 'new'")).ShouldBe(1);
    }

    [Fact]
    public async Task What_a_person_has_made_anew_is_not_dropped_by_a_rollback()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows($"{Head}  - create: CREATE TABLE {{db}}.new (a UInt8) ENGINE = MergeTree ORDER BY a\n");
        var run = await MigrationCase.RunAsync(migrator, "m");
        await c.SqlAsync("DROP TABLE {db}.new SYNC", "CREATE TABLE {db}.new (a UInt8) ENGINE = MergeTree ORDER BY a");

        var refused = await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct);

        refused.Problem!.ShouldContain("somebody has made it anew");
        await c.SqlAsync("DROP TABLE {db}.new SYNC");
        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
    }

    [Theory]
    [InlineData("CREATE TABLE a.b ENGINE = Log AS SELECT 1")]
    [InlineData("CREATE TABLE a.b ENGINE = Log AS (SELECT 1)")]
    [InlineData("CREATE MATERIALIZED VIEW a.b ENGINE = Log POPULATE AS SELECT 1")]
    public void What_would_be_half_full_when_it_is_cut_off_is_refused(string ddl) =>
        new CreateOperation(ddl).Problems().ShouldHaveSingleItem().ShouldContain("makes something empty");

    [Theory]
    [InlineData("attach: '{db}.mv'")]
    [InlineData("detach: '{db}.away'")]
    public async Task What_was_so_before_stays_so_after_a_rollback(string operation)
    {
        await using var c = await NewAsync();
        var migrator = c.Knows($"{Head}  - {operation}\n");
        var before = await StateAsync(c);

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await StateAsync(c)).ShouldBe(before);
        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await StateAsync(c)).ShouldBe(before);
    }

    [Fact]
    public async Task What_one_operation_makes_another_can_drop()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Head + """
              - create: CREATE DICTIONARY {db}.names (id UInt64, s String) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 't' DB '{db}')) LAYOUT(FLAT()) LIFETIME(0)
              - mutate: '{db}.sink'
                command: UPDATE s = dictGet('{db}.names', 's', id) WHERE 1
                undo: []
              - drop: '{db}.names'
            """);
        var before = await StateAsync(c);

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await StateAsync(c)).ShouldBe(before);
        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await StateAsync(c)).ShouldBe(before);
    }

    [Theory]
    [InlineData("create: CREATE TABLE {db}.t (a UInt8) ENGINE = Memory", "is there already")]
    [InlineData("drop: '{db}.inner_view'", "holds rows of its own")]
    [InlineData("detach: '{db}.t'", "is no view")]
    public async Task What_would_lose_something_is_refused(string operation, string sentence)
    {
        await using var c = await NewAsync();
        await c.SqlAsync("CREATE MATERIALIZED VIEW {db}.inner_view ENGINE = MergeTree ORDER BY id AS SELECT id FROM {db}.t");

        (await MigrationCase.RefusalAsync(c.Knows($"{Head}  - {operation}\n"), "m")).ShouldContain(sentence);
    }

    [Theory]
    [InlineData("CREATE OR REPLACE TABLE {db}.x (a UInt8) ENGINE = Memory")]
    [InlineData("CREATE TABLE IF NOT EXISTS {db}.x (a UInt8) ENGINE = Memory")]
    [InlineData("CREATE TABLE x (a UInt8) ENGINE = Memory")]
    [InlineData("CREATE USER x")]
    [InlineData("DROP TABLE {db}.t")]
    public void A_statement_that_is_no_plain_create_is_a_problem_of_the_definition(string ddl) =>
        new Godwit.Operations.CreateOperation(ddl).Problems().ShouldHaveSingleItem().ShouldContain("database.name");

    private static Task<string> StateAsync(MigrationCase c) => c.AskAsync<string>(
        """
        SELECT concat(
            arrayStringConcat(arraySort(groupArray(name || ': ' || create_table_query || if(engine = 'MergeTree', toString(total_rows), ''))), '\n'),
            (SELECT toString(arraySort(groupArray(table))) FROM system.detached_tables WHERE database = '{db}'))
        FROM system.tables WHERE database = '{db}' AND position(name, '_godwit_') = 0
        """);

    private async Task<MigrationCase> NewAsync()
    {
        var c = await MigrationCase.NewAsync(real.Engine);
        await c.SqlAsync(
            "CREATE TABLE {db}.t (id UInt64, s String) ENGINE = MergeTree ORDER BY id",
            "INSERT INTO {db}.t SELECT number, toString(number) FROM numbers(10)",
            "CREATE TABLE {db}.sink (id UInt64, s String) ENGINE = MergeTree ORDER BY id",
            "INSERT INTO {db}.sink SELECT number, 'x' FROM numbers(5)",
            "CREATE MATERIALIZED VIEW {db}.mv TO {db}.sink AS SELECT id, s FROM {db}.t WHERE id > 100",
            "CREATE VIEW {db}.plain AS SELECT id FROM {db}.t",
            "CREATE MATERIALIZED VIEW {db}.away TO {db}.sink AS SELECT id, s FROM {db}.t WHERE id > 1000",
            "DETACH TABLE {db}.away PERMANENTLY SYNC",
            "CREATE DICTIONARY {db}.dict (id UInt64, s String) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 't' DB '{db}')) LAYOUT(FLAT()) LIFETIME(0)");
        return c;
    }
}
