using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>Mutations are started once, followed to their end, and undone.</summary>
public sealed class MutationTests(RealEngine real)
{
    private const string Rise = """
        name: m
        description: For a test
        operations:
          - mutate: {db}.t
            command: UPDATE n = n + 1 WHERE id >= 10
            undo: UPDATE n = 0 WHERE id >= 10
        """;

    [Fact]
    public async Task A_mutation_is_done_once_and_undone()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Rise);

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        run.RowsCopied.ShouldBe(1000);
        (await SumAsync(c)).ShouldBe(990);
        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await SumAsync(c)).ShouldBe(0);
    }

    [Fact]
    public async Task A_mutation_that_the_server_writes_in_another_way_is_sent_once()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("CREATE TABLE {db}.chosen (id UInt64) ENGINE = MergeTree ORDER BY id", "INSERT INTO {db}.chosen VALUES (1), (2)");
        var migrator = c.Knows("""
            name: m
            description: For a test
            operations:
              - mutate: {db}.t
                command: UPDATE n = n + 1 WHERE id IN (SELECT id FROM chosen)
                undo: UPDATE n = 0 WHERE 1
            """);

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await SumAsync(c)).ShouldBe(2);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM system.mutations WHERE database = '{db}' AND command LIKE '%{db}.chosen%'")).ShouldBe(1);
    }

    [Fact]
    public async Task A_mutation_of_a_table_that_was_made_anew_is_not_taken_for_ours()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("SYSTEM STOP MERGES {db}.t");
        var migrator = c.Knows(Rise);
        var runId = await MigrationCase.CreateAsync(migrator, "m");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(MigrationCase.Ct);
        var run = migrator.RunAsync(runId, ct: stop.Token);
        await Wait.UntilAsync(async () => (await migrator.StatusAsync(runId, MigrationCase.Ct)).Activity?.Contains("mutation", StringComparison.Ordinal) == true, MigrationCase.Ct);
        await stop.CancelAsync();
        await run;
        await c.SqlAsync(
            "DROP TABLE {db}.t SYNC",
            "CREATE TABLE {db}.t (id UInt64, n Int64) ENGINE = MergeTree ORDER BY id",
            "INSERT INTO {db}.t SELECT number, 0 FROM numbers(10)",
            "ALTER TABLE {db}.t UPDATE n = 5 WHERE 0 SETTINGS mutations_sync = 1");

        var failed = await migrator.ResumeAsync(runId, ct: MigrationCase.Ct);

        failed.State.ShouldBe(RunState.NeedsOperator);
        failed.Problem!.ShouldContain("somebody has made it anew");
        (await migrator.RollbackAsync(runId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM system.mutations WHERE database = '{db}'")).ShouldBe(1);
    }

    [Fact]
    public async Task An_equal_mutation_that_is_under_way_is_adopted()
    {
        await using var c = await NewAsync();
        await c.SqlAsync(
            "SYSTEM STOP MERGES {db}.t",
            "ALTER TABLE {db}.t   update n=n+1 where id>=10 SETTINGS mutations_sync = 0");
        var migrator = c.Knows(Rise);
        var run = migrator.RunAsync(await MigrationCase.CreateAsync(migrator, "m"), ct: MigrationCase.Ct);
        await Wait.UntilAsync(async () => (await migrator.ListAsync(MigrationCase.Ct))[0].State == RunState.Running && (await migrator.StatusAsync((await migrator.ListAsync(MigrationCase.Ct))[0].RunId, MigrationCase.Ct)).Activity?.Contains("mutation", StringComparison.Ordinal) == true, MigrationCase.Ct);

        await c.SqlAsync("SYSTEM START MERGES {db}.t");

        (await run).State.ShouldBe(RunState.Completed);
        (await SumAsync(c)).ShouldBe(990);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM system.mutations WHERE database = '{db}'")).ShouldBe(1);
    }

    [Fact]
    public async Task A_mutation_that_fails_is_named_with_its_reason_and_a_rollback_kills_it()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows("""
            name: m
            description: For a test
            operations:
              - mutate: {db}.t
                command: UPDATE n = throwIf(id = 500, 'five hundred') WHERE 1
                undo: []
                settings: { allow_nondeterministic_mutations: 1, validate_mutation_query: 0 }
            """);

        var failed = await MigrationCase.RunAsync(migrator, "m");

        failed.State.ShouldBe(RunState.Failed);
        failed.Problem!.ShouldContain("five hundred");
        failed.Problem!.ShouldContain("`rollback`, which kills it");
        (await migrator.RollbackAsync(failed.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM system.mutations WHERE database = '{db}' AND NOT is_done")).ShouldBe(0);
    }

    [Fact]
    public async Task A_mutation_that_somebody_killed_is_a_question_for_a_person()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("SYSTEM STOP MERGES {db}.t");
        var migrator = c.Knows(Rise);
        var runId = await MigrationCase.CreateAsync(migrator, "m");
        var run = migrator.RunAsync(runId, ct: MigrationCase.Ct);
        await Wait.UntilAsync(async () => await c.AskAsync<long>("SELECT toInt64(count()) FROM system.mutations WHERE database = '{db}'") == 1, MigrationCase.Ct);
        await Wait.UntilAsync(async () => (await migrator.StatusAsync(runId, MigrationCase.Ct)).Activity?.Contains("parts to do", StringComparison.Ordinal) == true, MigrationCase.Ct);

        await c.SqlAsync("KILL MUTATION WHERE database = '{db}' SYNC");

        var asked = await run;
        asked.State.ShouldBe(RunState.NeedsOperator);
        asked.Problem!.ShouldContain("was killed by somebody");
        (await migrator.ResumeAsync(runId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);
    }

    [Theory]
    [InlineData("mutate: '{db}.t'\n    command: UPDATE nothing = 1 WHERE 1\n    undo: []", "nothing")]
    [InlineData("mutate: '{db}.v'\n    command: DELETE WHERE 1\n    irreversible: true", "has no mutations")]
    [InlineData("mutate: '{db}.t'\n    command: UPDATE n = WHERE 1\n    undo: []", "cannot read a command")]
    public async Task A_mutation_that_cannot_be_is_refused_or_fails_with_a_sentence(string operation, string sentence)
    {
        await using var c = await NewAsync();
        await c.SqlAsync("CREATE VIEW {db}.v AS SELECT * FROM {db}.t");
        var migrator = c.Knows($"name: m\ndescription: For a test\noperations:\n  - {operation}\n");
        var proposal = await migrator.ProposeAsync(new Godwit.Migrations.MigrationRequest("m"), new RunOptions { AcceptIrreversible = true }, MigrationCase.Ct);

        var told = proposal.Plan is null
            ? string.Join(' ', proposal.Checks.Select(x => x.Message))
            : (await MigrationCase.RunAsync(migrator, "m")).Problem;

        told!.ShouldContain(sentence);
    }

    private static Task<long> SumAsync(MigrationCase c) => c.AskAsync<long>("SELECT toInt64(sum(n)) FROM {db}.t");

    private async Task<MigrationCase> NewAsync()
    {
        var c = await MigrationCase.NewAsync(real.Engine);
        await c.SqlAsync(
            "CREATE TABLE {db}.t (id UInt64, n Int64) ENGINE = MergeTree PARTITION BY id % 3 ORDER BY id",
            "INSERT INTO {db}.t SELECT number, 0 FROM numbers(1000)");
        return c;
    }
}
