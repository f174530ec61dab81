using Godwit.Fixtures;
using Godwit.Migrations;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>Checks hold a migration where they should, with a sentence, and what they hold is not begun.</summary>
public sealed class MigrationChecksTests(RealEngine real)
{
    private const string Body = """

        operations:
          - sql: CREATE TABLE {db}.made (a UInt8) ENGINE = MergeTree ORDER BY a
            undo: DROP TABLE {db}.made SYNC
          - rebuild: {db}.t
            orderBy: b
        """;

    private const string Head = "name: m\ndescription: For a test\n";

    /// <summary>What a definition asks for, and the sentence that it is refused with before anything is changed.</summary>
    public static TheoryData<string, string> Refusals => new()
    {
        { "versions: { from: 1.0.0 }", "m runs in certain versions of the application (from 1.0.0): say which one this is with --app-version." },
        { "requires: { clickhouse: '>=99' }", "m needs ClickHouse >=99; this one is 26.7." },
        { "requires: { postgresql: '>=12' }", "m needs PostgreSql >=12: no PostgreSQL was given. Name it with --postgres." },
        { Check("precheck", "SELECT 0"), "No." },
        { Check("precheck", "SELECT NULL"), "No." },
        { Check("precheck", "SELECT 1 WHERE 0"), "No." },
        { Check("healthcheck", "SELECT 0"), "No." },
        { Check("precheck", "SELECT nothing"), "The check c could not read what it needs:" },
        { Check("precheck", "DROP TABLE {db}.t"), "The check c could not read what it needs:" },
        { "required: { sql: SELECT 0, because: It is old., otherwise: It is new. }", "m is not required here: It is new." },
        { "required: { sql: SELECT nothing, because: It is old., otherwise: It is new. }\n" + Check("precheck", "SELECT 0"), "No." },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task What_does_not_hold_before_the_start_is_refused_and_nothing_is_changed(string definition, string sentence)
    {
        await using var c = await NewAsync();
        var before = await c.EverythingAsync();

        (await MigrationCase.RefusalAsync(c.Knows(Head + definition + Body), "m")).ShouldContain(sentence);

        (await c.EverythingAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task Everything_is_asked_and_all_refusals_are_told()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows($"{Head}versions: {{ from: 1.0.0 }}\nrequires: {{ clickhouse: '>=99' }}\n{Check("precheck", "SELECT 0")}{Body}");

        (await MigrationCase.RefusalAsync(migrator, "m")).Split('\n').Length.ShouldBe(3);
    }

    [Fact]
    public async Task A_check_that_fails_between_the_plan_and_the_start_refuses_the_start()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Head + Check("precheck", "SELECT count() = 0 FROM {db}.stop") + Body);
        var run = await MigrationCase.CreateAsync(migrator, "m");
        await c.SqlAsync("INSERT INTO {db}.stop VALUES (1)");

        var status = await migrator.RunAsync(run, ct: MigrationCase.Ct);

        (status.State, status.Problem).ShouldBe((RunState.FailedAtStartup, "No."));
        (await c.AskAsync<long>("SELECT count() FROM system.tables WHERE database = '{db}'")).ShouldBe(2);
        (await migrator.MigrationsAsync(MigrationCase.Ct)).Single().State.ShouldBe(RunState.FailedAtStartup);
        await c.SqlAsync("TRUNCATE TABLE {db}.stop");
        (await MigrationCase.RunAsync(migrator, "m")).State.ShouldBe(RunState.Completed, "it can be started again");
    }

    [Fact]
    public async Task A_closed_gate_holds_the_cutover_until_it_opens()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("INSERT INTO {db}.stop VALUES (1)");
        var migrator = c.Knows(Head + Check("gate", "SELECT count() = 0 FROM {db}.stop") + Body);

        var held = await MigrationCase.RunAsync(migrator, "m");

        held.State.ShouldBe(RunState.Failed);
        held.Problem.ShouldNotBeNull().ShouldStartWith("A gate is closed before \"Exchange the names");
        (await c.AskAsync<string>("SELECT sorting_key FROM system.tables WHERE database = '{db}' AND name = 't'")).ShouldBe("a");
        await c.SqlAsync("TRUNCATE TABLE {db}.stop");
        (await migrator.ResumeAsync(held.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);
        (await c.AskAsync<string>("SELECT sorting_key FROM system.tables WHERE database = '{db}' AND name = 't'")).ShouldBe("b");
    }

    [Fact]
    public async Task A_refused_result_can_be_mended_or_rolled_back()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("INSERT INTO {db}.stop VALUES (1)");
        var migrator = c.Knows(Head + Check("postcheck", "SELECT count() = 0 FROM {db}.stop") + Body);
        var before = await c.EverythingAsync();

        var held = await MigrationCase.RunAsync(migrator, "m");

        held.State.ShouldBe(RunState.Failed);
        held.Problem.ShouldNotBeNull().ShouldContain("a postcheck refuses the result. No.");
        (await migrator.RollbackAsync(held.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await c.EverythingAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task A_healthcheck_that_fails_in_the_middle_ends_the_statement_and_says_why()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Head + "healthcheckInterval: 1s\n" + Check("healthcheck", "SELECT count() = 0 FROM {db}.stop") + """

            operations:
              - sql: INSERT INTO {db}.stop SELECT sleepEachRow(1) FROM numbers(600) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 600000000
                undo: TRUNCATE TABLE {db}.stop
            """);
        var run = await MigrationCase.CreateAsync(migrator, "m");
        var running = migrator.RunAsync(run, ct: MigrationCase.Ct);
        await Wait.UntilAsync(async () => await c.AskAsync<long>("SELECT count() FROM system.processes WHERE startsWith(query, 'INSERT INTO {db}.stop')") == 1, MigrationCase.Ct);

        await c.SqlAsync("INSERT INTO {db}.stop VALUES (1)");
        var status = await running;

        (status.State, status.Problem).ShouldBe((RunState.Failed, "A healthcheck stopped the run. No. Mend that, then `resume`."));
        (await c.AskAsync<long>("SELECT count() FROM system.processes WHERE startsWith(query, 'INSERT INTO {db}.stop')")).ShouldBe(0);
        (await migrator.RollbackAsync(run, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
    }

    [Fact]
    public async Task A_migration_waits_for_those_that_it_depends_on_unless_they_are_not_required()
    {
        await using var c = await NewAsync();
        const string Sql = "operations: [{ sql: SELECT 1, undo: [] }]";
        var migrator = c.Knows(
            $"name: a\ndescription: a\nrequired: {{ sql: SELECT 0, because: b, otherwise: It is new. }}\ndependsOn: [never]\n{Sql}",
            $"name: b\ndescription: b\ndependsOn: [a]\n{Sql}",
            $"name: c\ndescription: c\ndependsOn: [b]\n{Sql}",
            $"name: never\ndescription: d\n{Sql}");

        (await MigrationCase.RefusalAsync(migrator, "c")).ShouldBe("c depends on b, which is NotStarted: `godwit migrations run b` first.");
        (await migrator.MigrationsAsync(MigrationCase.Ct)).Select(m => $"{m.Name} {m.State} {string.Join(",", m.WaitsFor)}").ShouldBe(
            ["never NotStarted ", "a NotRequired never", "b NotStarted ", "c NotStarted b"]);
        (await MigrationCase.RunAsync(migrator, "b")).State.ShouldBe(RunState.Completed);
        (await MigrationCase.RunAsync(migrator, "c")).State.ShouldBe(RunState.Completed);
    }

    [Fact]
    public async Task A_run_whose_definition_is_gone_is_shown_and_can_only_be_rolled_back()
    {
        await using var c = await NewAsync();
        var run = await MigrationCase.CreateAsync(c.Knows(Head + Body), "m");
        var without = c.Knows(MigratorOptions.Default);

        (await without.MigrationsAsync(MigrationCase.Ct)).ShouldHaveSingleItem().ShouldBeEquivalentTo(
            new MigrationOverview { Name = "m", State = RunState.NotStarted, RunId = run, IsOrphaned = true });
        (await without.RunAsync(run, ct: MigrationCase.Ct)).Problem.ShouldNotBeNull().ShouldContain("The definition of m is not known to this Godwit");
        (await without.RollbackAsync(run, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
    }

    private static string Check(string scope, string sql) => $"checks: [{{ name: c, scope: {scope}, sql: \"{sql}\", otherwise: No. }}]";

    private async Task<MigrationCase> NewAsync()
    {
        var c = await MigrationCase.NewAsync(real.Engine);
        await c.SqlAsync(
            "CREATE TABLE {db}.t (a UInt32, b UInt32) ENGINE = MergeTree ORDER BY a",
            "INSERT INTO {db}.t SELECT number, 1000 - number FROM numbers(1000)",
            "CREATE TABLE {db}.stop (a UInt8) ENGINE = MergeTree ORDER BY a");
        return c;
    }
}
