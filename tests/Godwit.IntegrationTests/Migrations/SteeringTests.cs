using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>What people ask of runs is done once, is not forgotten, and is refused where it would do harm.</summary>
public sealed class SteeringTests(RealEngine real)
{
    private const string One = "name: one\ndescription: For a test\noperations: [{ sql: INSERT INTO {db}.log VALUES (1), undo: TRUNCATE TABLE {db}.log }]\n";
    private const string Two = "name: two\ndescription: For a test\ndependsOn: [one]\noperations: [{ sql: INSERT INTO {db}.log VALUES (2), undo: [] }]\n";
    private const string SlowUndo = """
        name: slow
        description: For a test
        operations:
          - sql: INSERT INTO {db}.log VALUES (1)
            undo: INSERT INTO {db}.log SELECT 7 + sleepEachRow(1) FROM numbers(UNDO) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 600000000
            undoRepeatable: true
        """;

    [Fact]
    public async Task A_completed_migration_is_run_again_only_when_that_is_meant()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(One);
        var first = await MigrationCase.RunAsync(migrator, "one");

        (await MigrationCase.RefusalAsync(migrator, "one")).ShouldStartWith($"one was completed by run {first.RunId} at ");

        var again = await migrator.ProposeAsync(new MigrationRequest("one") { Again = true }, new RunOptions(), MigrationCase.Ct);
        var second = await migrator.RunAsync(await migrator.CreateRunAsync(again.Plan.ShouldNotBeNull(), new RunOptions(), MigrationCase.Ct), ct: MigrationCase.Ct);
        second.State.ShouldBe(RunState.Completed);
        (await LogAsync(c)).ShouldBe("1, 1");
    }

    [Fact]
    public async Task Of_two_runs_that_were_planned_at_once_one_is_done()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(One);
        var (first, second) = (await MigrationCase.CreateAsync(migrator, "one"), await MigrationCase.CreateAsync(migrator, "one"));

        (await migrator.RunAsync(first, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);
        var refused = await migrator.RunAsync(second, ct: MigrationCase.Ct);

        (refused.State, refused.Problem).ShouldBe((RunState.FailedAtStartup, $"one was completed by run {first} after this run was planned. Nothing is left to do."));
        (await LogAsync(c)).ShouldBe("1");
        (await migrator.MigrationsAsync(MigrationCase.Ct)).ShouldHaveSingleItem().State.ShouldBe(RunState.Completed);
    }

    [Fact]
    public async Task A_migration_with_a_run_that_is_not_at_its_end_says_so_and_not_what_is_in_the_way_of_its_steps()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows("name: one\ndescription: d\noperations: [{ create: 'CREATE TABLE {db}.made (a UInt8) ENGINE = Memory' }, { sql: SELECT nothing, undo: [] }]\n");
        var failed = await MigrationCase.RunAsync(migrator, "one");

        (await MigrationCase.RefusalAsync(migrator, "one")).ShouldBe($"Run {failed.RunId} of one is Failed: `godwit resume {failed.RunId}` goes on with it, `godwit rollback {failed.RunId}` undoes it.");
    }

    [Fact]
    public async Task What_others_are_built_on_is_undone_only_when_that_is_meant()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(One, Two);
        var one = await MigrationCase.RunAsync(migrator, "one");
        var two = await MigrationCase.RunAsync(migrator, "two");

        (await Should.ThrowAsync<WrongStateException>(migrator.RollbackAsync(one.RunId, ct: MigrationCase.Ct))).Message
            .ShouldBe($"two depends on one and is Completed: `godwit rollback {two.RunId}` first, or give --force to undo this one all the same.");

        (await LogAsync(c)).ShouldBe("1, 2");
        (await migrator.RollbackAsync(one.RunId, force: true, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await migrator.RollbackAsync(two.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
    }

    [Fact]
    public async Task A_run_that_was_called_off_before_it_began_does_not_undo_what_is_done()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(One);
        var again = await MigrationCase.CreateAsync(migrator, "one");
        await MigrationCase.RunAsync(migrator, "one");

        (await migrator.RollbackAsync(again, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);

        (await LogAsync(c)).ShouldBe("1");
        (await migrator.MigrationsAsync(MigrationCase.Ct)).ShouldHaveSingleItem().State.ShouldBe(RunState.Completed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_rollback_that_is_stopped_stays_so_until_it_is_resumed(bool isOwned)
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(SlowUndo.Replace("UNDO", "600", StringComparison.Ordinal));
        var run = await MigrationCase.RunAsync(migrator, "slow");
        using var death = CancellationTokenSource.CreateLinkedTokenSource(MigrationCase.Ct);
        var undoing = (isOwned ? migrator.RollbackAsync(run.RunId, ct: death.Token) : null)
            ?? new Workers.Worker(await RollingBackAsync(migrator, run.RunId)) { Period = TimeSpan.FromMilliseconds(50) }.RunAsync(death.Token);
        await Wait.UntilAsync(async () => await StatementsAsync(c) == 1, MigrationCase.Ct);
        if (!isOwned)
        {
            // A worker that is ended leaves the run as it is.
            await death.CancelAsync();
            await undoing;
            (await migrator.StatusAsync(run.RunId, MigrationCase.Ct)).State.ShouldBe(RunState.RollingBack);
        }

        var stopped = await migrator.StopAsync(run.RunId, MigrationCase.Ct);

        (stopped.State, stopped.Problem).ShouldBe((RunState.Failed, "The rollback was stopped. `resume` goes on with it."));
        await undoing;
        (await StatementsAsync(c)).ShouldBe(0);
        await c.SqlAsync("TRUNCATE TABLE {db}.log");
    }

    [Fact]
    public async Task Code_that_ends_in_its_own_way_when_it_is_cancelled_is_paused()
    {
        await using var c = await NewAsync();
        var begun = new TaskCompletionSource();
        var migrator = c.Knows(new Stubborn(begun));
        var runId = await MigrationCase.CreateAsync(migrator, "stubborn");
        var run = migrator.RunAsync(runId, ct: MigrationCase.Ct);
        await begun.Task;

        (await migrator.PauseAsync(runId, MigrationCase.Ct)).State.ShouldBe(RunState.Paused);

        await migrator.StopAsync(runId, MigrationCase.Ct);
        (await run).State.ShouldBe(RunState.Paused);
    }

    [Fact]
    public async Task A_resume_that_comes_while_a_pause_is_taking_effect_is_not_forgotten()
    {
        await using var c = await NewAsync();
        var code = new Interrupted();
        var migrator = c.Knows(code);
        var runId = await MigrationCase.CreateAsync(migrator, "interrupted");
        var looks = new Looks();
        var run = migrator.RunAsync(runId, looks, MigrationCase.Ct);
        await code.Begun.Task;
        await migrator.AskAsync(runId, RunRequest.Pause, Actor.OfProcess, ct: MigrationCase.Ct);
        await code.Cancelled.Task;

        await migrator.AskAsync(runId, RunRequest.Resume, Actor.OfProcess, ct: MigrationCase.Ct);
        var before = looks.Count;
        await Wait.UntilAsync(() => looks.Count > before + 1, MigrationCase.Ct);
        code.End.SetResult();

        (await run).State.ShouldBe(RunState.Completed);
    }

    [Fact]
    public async Task A_display_that_breaks_lets_go_of_the_run_which_can_be_gone_on_with()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows("name: one\ndescription: d\noperations: [{ sql: SELECT sleep(1), undo: [] }]\n");
        var runId = await MigrationCase.CreateAsync(migrator, "one");

        await Should.ThrowAsync<InvalidOperationException>(migrator.RunAsync(runId, new Broken(), MigrationCase.Ct));

        (await migrator.StatusAsync(runId, MigrationCase.Ct)).Owner.ShouldBeNull();
        (await migrator.ResumeAsync(runId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);
    }

    /// <summary>A migrator whose run is being rolled back by nobody yet.</summary>
    private static async Task<Migrator> RollingBackAsync(Migrator migrator, string runId)
    {
        await migrator.Host.Store.PutRequestAsync(runId, RunRequest.Rollback, MigrationCase.Ct);
        return migrator;
    }

    private static Task<string> LogAsync(MigrationCase c) => c.AskAsync<string>("SELECT arrayStringConcat(arrayMap(x -> toString(x), arraySort(groupArray(n))), ', ') FROM {db}.log");

    private static Task<long> StatementsAsync(MigrationCase c) => c.AskAsync<long>("SELECT count() FROM system.processes WHERE startsWith(query, 'INSERT INTO {db}.log')");

    private async Task<MigrationCase> NewAsync()
    {
        var c = await MigrationCase.NewAsync(real.Engine);
        await c.SqlAsync("CREATE TABLE {db}.log (n UInt32) ENGINE = MergeTree ORDER BY n");
        return c;
    }

    private sealed class Broken : IProgress<RunStatus>
    {
        public void Report(RunStatus value) => throw new InvalidOperationException("The display is broken.");
    }

    /// <summary>Takes its time to end when it is cancelled.</summary>
    private sealed class Interrupted : Migration
    {
        public TaskCompletionSource Begun { get; } = new();

        public TaskCompletionSource Cancelled { get; } = new();

        public TaskCompletionSource End { get; } = new();

        public override string Name => "interrupted";

        public override string Description => "For a test";

        public override IReadOnlyList<MigrationCode> Code => [new("wait", WaitAsync) { UndoAsync = (_, _) => Task.CompletedTask }];

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations(new CodeOperation("wait"));

        private async Task WaitAsync(CodeContext context, CancellationToken ct)
        {
            if (Cancelled.Task.IsCompleted)
            {
                return;
            }

            Begun.TrySetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, ct);
            }
            catch (OperationCanceledException)
            {
                Cancelled.SetResult();
                await End.Task;
                throw;
            }
        }
    }

    private sealed class Stubborn(TaskCompletionSource begun) : Migration
    {
        public override string Name => "stubborn";

        public override string Description => "For a test";

        public override IReadOnlyList<MigrationCode> Code => [new("wait", WaitAsync) { UndoAsync = (_, _) => Task.CompletedTask }];

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations(new CodeOperation("wait"));

        private async Task WaitAsync(CodeContext context, CancellationToken ct)
        {
            begun.TrySetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, ct);
            }
            catch (OperationCanceledException)
            {
                throw new InvalidOperationException("I was disturbed.");
            }
        }
    }
}
