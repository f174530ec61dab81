using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Runs;
using Godwit.Workers;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>Workers do what was asked for, what nobody owns any more, and what is required.</summary>
public sealed class WorkerTests(RealEngine real)
{
    private const string Quick = "operations: [{ sql: 'INSERT INTO {db}.log SELECT max(n) + 1, ''NAME'' FROM {db}.log', undo: 'TRUNCATE TABLE {db}.log' }]";

    private const string Slow = """
        name: slow
        description: For a test
        operations:
          - sql: INSERT INTO {db}.log SELECT 1 + sleepEachRow(1), 'slow' FROM numbers(600) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 600000000
            undo: TRUNCATE TABLE {db}.log
            repeatable: true
        """;

    [Fact]
    public async Task A_queued_run_is_worked_on_and_stands_in_the_audit_trail()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Named("a"));
        var run = await MigrationCase.CreateAsync(migrator, "a");

        await migrator.QueueAsync(run, "ada", MigrationCase.Ct);
        await WorkUntilAsync(migrator, async () => (await migrator.StatusAsync(run, MigrationCase.Ct)).State == RunState.Completed);

        (await LogAsync(c)).ShouldBe("a");
        var audit = (await migrator.AuditAsync(10, ct: MigrationCase.Ct)).ShouldHaveSingleItem();
        (audit.Who, audit.Action, audit.Subject).ShouldBe(("ada", "start", "a"));
    }

    [Fact]
    public async Task What_is_required_is_started_in_the_order_of_dependencies_and_a_refusal_is_told_once()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(
            Named("a", "dependsOn: [b]"),
            Named("b", "dependsOn: [c]"),
            Named("c"),
            Named("d", "required: { sql: SELECT 0, because: x, otherwise: It is new. }"),
            Named("e", "checks: [{ name: k, scope: precheck, sql: SELECT 0, otherwise: There is no room. }]"));
        await migrator.SetAsync("autoStart", "true", "ada", MigrationCase.Ct);
        Events events = new();

        await WorkUntilAsync(migrator, async () => await LogAsync(c) == "c, b, a" && events.Any("There is no room."), events);

        events.All.Count(e => e.Message.Contains("There is no room.", StringComparison.Ordinal)).ShouldBe(1);
        (await migrator.MigrationsAsync(MigrationCase.Ct)).Select(m => $"{m.Name} {m.State}").ShouldBe(["c Completed", "b Completed", "a Completed", "d NotRequired", "e NotStarted"]);
    }

    [Fact]
    public async Task A_stopped_worker_ends_its_statement_and_another_one_goes_on()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Slow);
        var run = await MigrationCase.CreateAsync(migrator, "slow");
        await migrator.QueueAsync(run, "ada", MigrationCase.Ct);

        await WorkUntilAsync(migrator, async () => await StatementsAsync(c) == 1);

        (await StatementsAsync(c)).ShouldBe(0);
        var left = await migrator.StatusAsync(run, MigrationCase.Ct);
        (left.State, left.Owner).ShouldBe((RunState.Running, null));
        await WorkUntilAsync(migrator, async () => await StatementsAsync(c) == 1);
        (await migrator.RollbackAsync(run, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
    }

    [Fact]
    public async Task A_run_whose_owner_is_gone_is_left_to_a_person_when_the_settings_say_so()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Slow);
        var run = await MigrationCase.CreateAsync(migrator, "slow");
        await migrator.QueueAsync(run, "ada", MigrationCase.Ct);
        await WorkUntilAsync(migrator, async () => await StatementsAsync(c) == 1);
        await migrator.SetAsync("autoContinue", "false", "ada", MigrationCase.Ct);

        await WorkUntilAsync(migrator, async () => (await migrator.StatusAsync(run, MigrationCase.Ct)).State == RunState.Failed);

        (await migrator.StatusAsync(run, MigrationCase.Ct)).Problem.ShouldNotBeNull().ShouldStartWith("The process that worked on it died");
    }

    [Fact]
    public async Task A_failed_run_is_rolled_back_when_the_settings_say_so()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows("""
            name: m
            description: For a test
            operations:
              - sql: CREATE TABLE {db}.made (a UInt8) ENGINE = MergeTree ORDER BY a
                undo: DROP TABLE {db}.made SYNC
              - { sql: SELECT nothing, undo: [] }
            """);
        await migrator.SetAsync("autoRollback", "true", "ada", MigrationCase.Ct);
        var run = await MigrationCase.CreateAsync(migrator, "m");
        await migrator.QueueAsync(run, "ada", MigrationCase.Ct);

        await WorkUntilAsync(migrator, async () => (await migrator.StatusAsync(run, MigrationCase.Ct)).State == RunState.RolledBack);

        (await c.AskAsync<long>("SELECT count() FROM system.tables WHERE database = '{db}' AND name = 'made'")).ShouldBe(0);
    }

    [Fact]
    public async Task Queued_runs_are_done_one_after_the_other_in_the_order_in_which_they_were_asked_for()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Named("a"), Named("b"), Named("c"));
        foreach (var name in new[] { "b", "a", "c" })
        {
            await migrator.QueueAsync(await MigrationCase.CreateAsync(migrator, name), "ada", MigrationCase.Ct);
        }

        await WorkUntilAsync(migrator, async () => (await migrator.ListAsync(MigrationCase.Ct)).All(r => r.State == RunState.Completed));

        (await LogAsync(c)).ShouldBe("b, a, c");
    }

    [Fact]
    public async Task A_run_waits_for_its_window_and_one_that_may_start_at_any_time_does_not()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Named("a"), Named("b"));
        var hour = DateTime.UtcNow.AddHours(2);
        await migrator.SetAsync("timeWindows", $"{hour:HH:00}-{hour.AddHours(1):HH:00}", "ada", MigrationCase.Ct);
        var waits = await MigrationCase.CreateAsync(migrator, "a");
        var goes = await MigrationCase.CreateAsync(migrator, "b", options: new RunOptions { AcceptIrreversible = true, StartWindow = "any" });
        await migrator.QueueAsync(waits, "ada", MigrationCase.Ct);
        await migrator.QueueAsync(goes, "ada", MigrationCase.Ct);

        await WorkUntilAsync(migrator, async () => (await migrator.StatusAsync(goes, MigrationCase.Ct)).State == RunState.Completed);
        (await migrator.StatusAsync(waits, MigrationCase.Ct)).StartHold.ShouldNotBeNull().ShouldStartWith("its window opens at ");
        await migrator.SetAsync("timeWindows", null, "ada", MigrationCase.Ct);
        await WorkUntilAsync(migrator, async () => (await migrator.StatusAsync(waits, MigrationCase.Ct)).State == RunState.Completed);

        (await LogAsync(c)).ShouldBe("b, a");
    }

    [Fact]
    public async Task As_many_runs_as_the_settings_say_are_at_work_at_once()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Enumerable.Range(1, 3).Select(i => Slow.Replace("name: slow", $"name: slow{i}", StringComparison.Ordinal)).ToArray());
        await migrator.SetAsync("maxConcurrentRuns", "2", "ada", MigrationCase.Ct);
        List<string> runs = [];
        foreach (var name in new[] { "slow1", "slow2", "slow3" })
        {
            runs.Add(await MigrationCase.CreateAsync(migrator, name));
            await migrator.QueueAsync(runs[^1], "ada", MigrationCase.Ct);
        }

        await WorkUntilAsync(migrator, async () => await StatementsAsync(c) == 2);

        (await migrator.ListAsync(MigrationCase.Ct)).Select(r => (r.Migration, r.State)).ShouldBe([("slow3", RunState.NotStarted), ("slow2", RunState.Running), ("slow1", RunState.Running)]);
        (await Should.ThrowAsync<RunConflictException>(migrator.RunAsync(runs[2], ct: MigrationCase.Ct))).Message.ShouldContain("2 runs at a time");
        await migrator.RollbackAsync(runs[0], ct: MigrationCase.Ct);
        await migrator.RollbackAsync(runs[1], ct: MigrationCase.Ct);
    }

    [Fact]
    public async Task A_run_of_a_migration_that_a_worker_does_not_know_is_left_to_one_that_does()
    {
        await using var c = await NewAsync();
        var (migrator, older) = (c.Knows(Named("a")), c.Knows(Named("b")));
        var run = await MigrationCase.CreateAsync(migrator, "a");
        await migrator.QueueAsync(run, "ada", MigrationCase.Ct);
        Events events = new();

        await WorkUntilAsync(older, () => Task.FromResult(events.Any("is left to a worker that knows the migration a")), events);

        (await migrator.StatusAsync(run, MigrationCase.Ct)).State.ShouldBe(RunState.NotStarted);
        await WorkUntilAsync(migrator, async () => (await migrator.StatusAsync(run, MigrationCase.Ct)).State == RunState.Completed);
    }

    [Fact]
    public async Task A_required_migration_that_cannot_start_does_not_hold_up_others()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Named("a", "parameters: { x: { type: text } }"), Named("b"), Named("c", "dependsOn: [a]"));
        await migrator.SetAsync("autoStart", "true", "ada", MigrationCase.Ct);
        Events events = new();

        await WorkUntilAsync(migrator, async () => await LogAsync(c) == "b" && events.Any("a is required and cannot start"), events);

        (await migrator.MigrationsAsync(MigrationCase.Ct)).Single(m => m.Name == "c").State.ShouldBe(RunState.NotStarted);
    }

    [Fact]
    public async Task An_upgrade_waits_for_what_must_be_done_by_then_and_for_what_runs()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Named("a", "versions: { mustBeDoneBy: 2.0.0 }"), Named("b", "versions: { mustBeDoneBy: 3.0.0 }"));

        var free = await migrator.UpgradeAsync("1.9.0", MigrationCase.Ct);
        (free.Blocks, free.Reasons.Count).ShouldBe((false, 0));
        var gate = await migrator.UpgradeAsync("2.0.0", MigrationCase.Ct);

        gate.Blocks.ShouldBeTrue();
        gate.Reasons.ShouldHaveSingleItem().ShouldStartWith("a must be done by 2.0.0 and is NotStarted");
        await migrator.SetAsync("blockUpgrade", "false", "ada", MigrationCase.Ct);
        (await migrator.UpgradeAsync("2.0.0", MigrationCase.Ct)).Blocks.ShouldBeFalse();
    }

    private static string Named(string name, string more = "") => $"name: {name}\ndescription: For a test\n{more}\n{Quick.Replace("NAME", name, StringComparison.Ordinal)}";

    private static Task<string> LogAsync(MigrationCase c) =>
        c.AskAsync<string>("SELECT arrayStringConcat(arrayMap(x -> x.2, arraySort(groupArray((n, what)))), ', ') FROM {db}.log");

    private static Task<long> StatementsAsync(MigrationCase c) => c.AskAsync<long>("SELECT count() FROM system.processes WHERE startsWith(query, 'INSERT INTO {db}.log')");

    /// <summary>Lets a worker work until something is so, then stops it.</summary>
    private static async Task WorkUntilAsync(Migrator migrator, Func<Task<bool>> condition, Events? events = null)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(MigrationCase.Ct);
        var working = new Worker(migrator, events) { Period = TimeSpan.FromMilliseconds(50) }.RunAsync(stop.Token);
        await Wait.UntilAsync(condition, MigrationCase.Ct);
        await stop.CancelAsync();
        await working;
    }

    private async Task<MigrationCase> NewAsync()
    {
        var c = await MigrationCase.NewAsync(real.Engine);
        await c.SqlAsync("CREATE TABLE {db}.log (n UInt32, what String) ENGINE = MergeTree ORDER BY n");
        return c;
    }

    private sealed class Events : IProgress<WorkerEvent>
    {
        private readonly List<WorkerEvent> _events = [];

        public IReadOnlyList<WorkerEvent> All
        {
            get
            {
                lock (_events)
                {
                    return [.. _events];
                }
            }
        }

        public bool Any(string part) => All.Any(e => e.Message.Contains(part, StringComparison.Ordinal));

        public void Report(WorkerEvent value)
        {
            lock (_events)
            {
                _events.Add(value);
            }
        }
    }
}
