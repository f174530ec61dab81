using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>Operations of a migration are done in order, undone newest first, and never undone when they were not begun.</summary>
public sealed class MigrationRunTests(RealEngine real)
{
    private const string Three = """
        name: m
        description: For a test
        operations:
          - sql: INSERT INTO {db}.log SELECT max(n) + 1, 'one' FROM {db}.log
            undo: INSERT INTO {db}.log SELECT max(n) + 1, 'undo one' FROM {db}.log
          - sql:
              - INSERT INTO {db}.log SELECT max(n) + 1, 'two' FROM {db}.log
              - INSERT INTO {db}.log SELECT max(n) + 1, 'two more' FROM {db}.log
            undo: INSERT INTO {db}.log SELECT max(n) + 1, 'undo two' FROM {db}.log
          - sql: ALTER TABLE {db}.later ADD COLUMN b UInt8
            undo: INSERT INTO {db}.log SELECT max(n) + 1, 'undo three' FROM {db}.log
        """;

    [Fact]
    public async Task A_step_that_fails_is_gone_on_with_when_its_cause_is_mended()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Three);

        var failed = await MigrationCase.RunAsync(migrator, "m");

        failed.State.ShouldBe(RunState.Failed);
        failed.Errors.ShouldHaveSingleItem().Step.ShouldBe(2);
        await c.SqlAsync("CREATE TABLE {db}.later (a UInt8) ENGINE = MergeTree ORDER BY a");
        (await migrator.ResumeAsync(failed.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);
        (await LogAsync(c)).ShouldBe("one, two, two more");
    }

    [Fact]
    public async Task A_server_that_is_restarted_under_a_step_is_named_and_the_step_is_done_again()
    {
        await using var engine = await EngineFixture.StartAsync(hasQueryLog: true);
        await using var c = await MigrationCase.NewAsync(engine);
        var migrator = c.Knows("""
            name: m
            description: For a test
            operations:
              - sql: OPTIMIZE TABLE {db}.t FINAL SETTINGS optimize_throw_if_noop = 0
                undo: []
              - sql: SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_block_size = 1
                undo: []
            """);
        await c.SqlAsync("CREATE TABLE {db}.t (a UInt8) ENGINE = MergeTree ORDER BY a");
        var runId = await MigrationCase.CreateAsync(migrator, "m");
        var run = migrator.RunAsync(runId, ct: MigrationCase.Ct);
        await Wait.UntilAsync(async () => (await migrator.StatusAsync(runId, MigrationCase.Ct)).Steps[1].State == StepState.Running, MigrationCase.Ct);

        await engine.KillAsync();
        await engine.RestartAsync();

        var done = await run;
        done.State.ShouldBe(RunState.Completed, done.Problem);
        done.Errors.Select(e => e.Step).ShouldAllBe(step => step == 1);
        done.Errors[0].Message.ShouldContain("was cut off and is tried again");
        done.Errors[^1].Message.ShouldContain("was restarted");
    }

    [Theory]
    [InlineData("SELECT 12.5", 12.5, 0)]
    [InlineData("SELECT 400", 100, 0)]
    [InlineData("SELECT nothing", 0, 1)]
    public async Task The_authors_progress_is_shown_and_one_that_cannot_be_asked_is_told_once(string progress, double shown, int told)
    {
        await using var c = await NewAsync();
        var migrator = c.Knows($"name: m\ndescription: For a test\nprogress: {progress}\noperations: [{{ sql: TRUNCATE TABLE {{db}}.log, irreversible: true }}]\n");
        var run = await MigrationCase.CreateAsync(migrator, "m", new RunOptions());
        var running = migrator.RunAsync(run, ct: MigrationCase.Ct);

        await Wait.UntilAsync(
            async () => await migrator.StatusAsync(run, MigrationCase.Ct) is { State: RunState.AwaitingCutover } s && s.Percent == shown && s.Errors.Count == told, MigrationCase.Ct);

        await migrator.CutOverAsync(run, ct: MigrationCase.Ct);
        var done = await running;
        (done.State, done.Percent, done.Errors.Count).ShouldBe((RunState.Completed, 100, told));
    }

    [Fact]
    public async Task What_was_not_begun_is_not_undone()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Three);
        var failed = await MigrationCase.RunAsync(migrator, "m");

        (await migrator.RollbackAsync(failed.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);

        (await LogAsync(c)).ShouldBe("one, two, two more, undo two, undo one");
    }

    [Fact]
    public async Task A_completed_migration_is_undone_newest_first_and_can_be_run_again()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("CREATE TABLE {db}.later (a UInt8) ENGINE = MergeTree ORDER BY a");
        var migrator = c.Knows(Three.Replace("ADD COLUMN b", "ADD COLUMN IF NOT EXISTS b", StringComparison.Ordinal));
        var first = await MigrationCase.RunAsync(migrator, "m");

        (await migrator.RollbackAsync(first.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await MigrationCase.RunAsync(migrator, "m")).State.ShouldBe(RunState.Completed);

        (await LogAsync(c)).ShouldBe("one, two, two more, undo three, undo two, undo one, one, two, two more");
    }

    [Fact]
    public async Task An_undoing_that_fails_names_its_step_and_is_gone_on_with()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("CREATE TABLE {db}.later (a UInt8) ENGINE = MergeTree ORDER BY a");
        var migrator = c.Knows(Three.Replace("undo: INSERT INTO {db}.log SELECT max(n) + 1, 'undo two'", "undo: INSERT INTO {db}.log SELECT max(nothing) + 1, 'undo two'", StringComparison.Ordinal));
        var run = await MigrationCase.RunAsync(migrator, "m");

        var failed = await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct);

        failed.State.ShouldBe(RunState.Failed);
        failed.Errors.ShouldHaveSingleItem().Step.ShouldBe(1);
        await c.SqlAsync("ALTER TABLE {db}.log ADD COLUMN nothing UInt32 ALIAS n");
        (await migrator.ResumeAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await LogAsync(c)).ShouldBe("one, two, two more, undo three, undo two, undo one");
    }

    [Fact]
    public async Task What_cannot_be_undone_waits_for_a_person_and_then_there_is_no_way_back()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows("""
            name: m
            description: For a test
            operations:
              - sql: CREATE TABLE {db}.made (a UInt8) ENGINE = MergeTree ORDER BY a
                undo: DROP TABLE {db}.made SYNC
              - sql: TRUNCATE TABLE {db}.log
                irreversible: true
            """);
        var options = new RunOptions();
        var plan = (await migrator.ProposeAsync(new MigrationRequest("m"), options, MigrationCase.Ct)).Plan!;
        plan.Reasons.ShouldContain("Point of no return: \"TRUNCATE TABLE {db}.log\" cannot be undone.".Replace("{db}", c.Database, StringComparison.Ordinal));
        var run = await migrator.CreateRunAsync(plan, options, MigrationCase.Ct);
        var waits = new TaskCompletionSource();
        var running = migrator.RunAsync(run, new Seen(s => _ = s.State == RunState.AwaitingCutover && waits.TrySetResult()), MigrationCase.Ct);
        await waits.Task;
        (await LogAsync(c)).ShouldBe("");
        await c.SqlAsync("INSERT INTO {db}.log VALUES (1, 'kept until now')");

        await migrator.CutOverAsync(run, ct: MigrationCase.Ct);

        var done = await running;
        (done.State, done.RollbackUntil, done.CleanedUp).ShouldBe((RunState.Completed, null, true));
        (await LogAsync(c)).ShouldBe("");
        (await Should.ThrowAsync<WrongStateException>(migrator.RollbackAsync(run, ct: MigrationCase.Ct))).Message.ShouldContain("there is no way back any more");
    }

    [Fact]
    public async Task One_operation_is_made_of_each_row_that_a_query_finds()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("INSERT INTO {db}.log VALUES (1, 'it''s'), (2, 'b`c'), (3, '')");
        var migrator = c.Knows("""
            name: m
            description: For a test
            operations:
              - forEach: SELECT n, what FROM {db}.log WHERE n > 0 ORDER BY n
                operations:
                  - sql: INSERT INTO {db}.log VALUES (10 + ${n}, concat('again ', ${what}))
                    undo: []
            """);

        (await MigrationCase.RunAsync(migrator, "m")).Steps.Count.ShouldBe(3);

        (await LogAsync(c)).ShouldBe("it's, b`c, , again it's, again b`c, again ");
    }

    [Fact]
    public async Task Code_goes_on_from_its_checkpoint()
    {
        await using var c = await NewAsync();
        var code = new Counting(c.Database);
        var migrator = c.Knows(code);

        var failed = await MigrationCase.RunAsync(migrator, "counting");

        (failed.State, failed.Problem).ShouldBe((RunState.Failed, "At 3."));
        code.FailsAt = null;
        (await migrator.ResumeAsync(failed.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);
        (await LogAsync(c)).ShouldBe("row 1, row 2, row 3, row 4, row 5");
        (await migrator.RollbackAsync(failed.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await LogAsync(c)).ShouldBe("");
    }

    private static Task<string> LogAsync(MigrationCase c) =>
        c.AskAsync<string>("SELECT arrayStringConcat(arrayMap(x -> x.2, arraySort(groupArray((n, what)))), ', ') FROM {db}.log WHERE n > 0");

    private async Task<MigrationCase> NewAsync()
    {
        var c = await MigrationCase.NewAsync(real.Engine);
        await c.SqlAsync("CREATE TABLE {db}.log (n UInt32, what String) ENGINE = MergeTree ORDER BY n");
        return c;
    }

    private sealed class Seen(Action<RunStatus> see) : IProgress<RunStatus>
    {
        public void Report(RunStatus value) => see(value);
    }

    private sealed class Counting(string database) : Migration
    {
        public int? FailsAt { get; set; } = 3;

        public override string Name => "counting";

        public override string Description => "Writes rows one by one";

        public override IReadOnlyList<MigrationCode> Code => [new("count", CountAsync) { UndoAsync = (context, ct) => context.ExecuteAsync($"TRUNCATE TABLE {database}.log", ct: ct) }];

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) =>
            Operations(new CodeOperation("count") { Arguments = new Span(5) });

        private async Task CountAsync(CodeContext context, CancellationToken ct)
        {
            for (var i = context.FindCheckpoint<int>() + 1; i <= context.Arguments<Span>().To; i++)
            {
                if (i == FailsAt)
                {
                    throw new StepFailedException($"At {i}.");
                }

                await context.ExecuteAsync($"INSERT INTO {database}.log VALUES ({i}, 'row {i}')", ct: ct);
                await context.CheckpointAsync(i);
            }
        }

        private sealed record Span(int To);
    }
}
