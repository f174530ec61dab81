using System.Collections.Concurrent;
using System.Text.Json;
using Godwit.Fixtures;
using Godwit.Migrations;
using Godwit.Notifications;
using Godwit.Runs;
using Godwit.Tests.Notifications;
using Godwit.Workers;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>People are told what happens to real runs, whoever owns them, and a receiver that is away does them no harm.</summary>
public sealed class NotificationTests(RealEngine real)
{
    private const string Two = """
        name: m
        description: For a test
        operations:
          - sql: INSERT INTO {db}.log VALUES (1, 'one')
            undo: TRUNCATE TABLE {db}.log
          - sql: INSERT INTO {db}.later VALUES (1)
            undo: []
        """;

    private const string Slow = """
        name: slow
        description: For a test
        operations:
          - sql: INSERT INTO {db}.log SELECT 1 + sleepEachRow(1), 'slow' FROM numbers(600) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 600000000
            undo: TRUNCATE TABLE {db}.log
            repeatable: true
        """;

    [Fact]
    public async Task A_failure_is_told_with_its_problem_and_so_is_all_that_follows()
    {
        await using var c = await NewAsync();
        await using HookSink sink = new();
        var migrator = c.Knows(Two);
        await migrator.SetAsync("notify", sink.Url.ToString(), "ada", MigrationCase.Ct);

        var failed = await MigrationCase.RunAsync(migrator, "m");

        sink.Events.ShouldBe(["started", "failed"], "all of it is sent before the call returns");
        var told = sink.Calls[^1].Document();
        Fields(told, "runId", "migration", "instance", "state", "previousState", "problem").ShouldBe([failed.RunId, "m", migrator.Node, "Failed", "Running", failed.Problem!]);
        told.GetProperty("message").GetString().ShouldBe($"Migration m has failed on {migrator.Node} (run {failed.RunId}).");
        await c.SqlAsync("CREATE TABLE {db}.later (a UInt8) ENGINE = MergeTree ORDER BY a");
        await migrator.ResumeAsync(failed.RunId, ct: MigrationCase.Ct);
        await migrator.RollbackAsync(failed.RunId, ct: MigrationCase.Ct);
        sink.Events.ShouldBe(["started", "failed", "resumed", "completed", "rollingBack", "rolledBack"]);
        Fields(sink.Calls[3].Document(), "state", "problem").ShouldBe(["Completed", ""]);
        (await migrator.AuditAsync(10, ct: MigrationCase.Ct)).Select(a => a.Action).Reverse().ShouldBe(["set", "start", "resume", "rollback"]);
    }

    [Fact]
    public async Task Waiting_for_the_cutover_and_a_pause_are_told()
    {
        await using var c = await NewAsync();
        await using HookSink sink = new();
        var migrator = c.Knows("""
            name: m
            description: For a test
            operations:
              - sql: TRUNCATE TABLE {db}.log
                irreversible: true
            """, Slow);
        await migrator.SetAsync("notify", sink.Url.ToString(), "ada", MigrationCase.Ct);
        var run = await MigrationCase.CreateAsync(migrator, "m", new RunOptions());
        var running = migrator.RunAsync(run, ct: MigrationCase.Ct);
        await Wait.UntilAsync(() => sink.Events.Count == 2, MigrationCase.Ct);
        sink.Calls[^1].Document().GetProperty("next").GetString().ShouldNotBeNull().ShouldStartWith($"`godwit cutover {run}` lets it go on");

        await migrator.CutOverAsync(run, ct: MigrationCase.Ct);
        await running;
        sink.Events.ShouldBe(["started", "awaitingCutover", "completed"]);

        var slow = await MigrationCase.CreateAsync(migrator, "slow");
        running = migrator.RunAsync(slow, ct: MigrationCase.Ct);
        await Wait.UntilAsync(async () => await c.AskAsync<long>("SELECT count() FROM system.processes WHERE startsWith(query, 'INSERT INTO {db}.log')") == 1, MigrationCase.Ct);
        await migrator.PauseAsync(slow, MigrationCase.Ct);
        await Wait.UntilAsync(() => sink.Events[^1] == "paused", MigrationCase.Ct);
        await migrator.RollbackAsync(slow, ct: MigrationCase.Ct);
        await running;
        sink.Events.Skip(3).ShouldBe(["started", "paused", "rollingBack", "rolledBack"]);
    }

    [Fact]
    public async Task What_a_check_refuses_at_the_start_is_told()
    {
        await using var c = await NewAsync();
        await using HookSink sink = new();
        var migrator = c.Knows("name: m\ndescription: d\nchecks: [{ name: c, scope: precheck, sql: SELECT count() = 0 FROM {db}.log, otherwise: No. }]\noperations: [{ sql: SELECT 1, undo: [] }]");
        await migrator.SetAsync("notify", sink.Url.ToString(), "ada", MigrationCase.Ct);
        var run = await MigrationCase.CreateAsync(migrator, "m");
        await c.SqlAsync("INSERT INTO {db}.log VALUES (1, 'x')");

        await migrator.RunAsync(run, ct: MigrationCase.Ct);

        Fields(sink.Calls.ShouldHaveSingleItem().Document(), "event", "state", "previousState", "problem").ShouldBe(["failed", "FailedAtStartup", "Starting", "No."]);
    }

    [Fact]
    public async Task What_a_person_asked_for_and_did_not_get_is_told_though_the_state_stays()
    {
        await using var c = await NewAsync();
        await using HookSink sink = new();
        var migrator = c.Knows("name: m\ndescription: d\noperations: [{ rebuild: '{db}.log', orderBy: what }]");
        var run = (await MigrationCase.RunAsync(migrator, "m")).RunId;
        await c.SqlAsync($"RENAME TABLE {{db}}.log_godwit_{run} TO {{db}}.kept", $"CREATE TABLE {{db}}.log_godwit_{run} (a UInt8) ENGINE = MergeTree ORDER BY a");
        await migrator.SetAsync("notify", sink.Url.ToString(), "ada", MigrationCase.Ct);

        var status = await migrator.CleanUpAsync(run, ct: MigrationCase.Ct);

        var told = sink.Calls.ShouldHaveSingleItem().Document();
        Fields(told, "event", "state", "previousState", "problem").ShouldBe(["needsOperator", "Completed", "Completed", status.Problem!]);
        told.GetProperty("tables")[0].GetString().ShouldBe($"{c.Database}.log");
    }

    [Fact]
    public async Task A_receiver_that_is_away_does_a_run_no_harm_and_is_told_of()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("CREATE TABLE {db}.later (a UInt8) ENGINE = MergeTree ORDER BY a");
        await using SmtpSink mail = new();
        await using HookSink silent = new() { Answer = _ => null };
        Failures failures = new();
        var migrator = c.Knows(Options(c, Two) with { NotificationFailures = failures, Delivery = new Delivery { Grace = TimeSpan.FromSeconds(2) } });
        await migrator.SetAsync("notify", $"{silent.Url} smtp://127.0.0.1:{mail.Port}/?from=godwit@example.com&to=ada@example.com", "ada", MigrationCase.Ct);

        var done = await MigrationCase.RunAsync(migrator, "m");

        done.State.ShouldBe(RunState.Completed);
        done.Errors.ShouldBeEmpty();
        mail.Mails.Count.ShouldBe(2);
        var sentences = failures.All.Select(f => f.Message).ToList();
        sentences.ShouldBe([
            $"\"Migration m has started on {migrator.Node} (run {done.RunId}).\" did not reach http://127.0.0.1:{silent.Port}/…: the process ended before it answered.",
            $"\"Migration m is completed on {migrator.Node} (run {done.RunId}).\" did not reach http://127.0.0.1:{silent.Port}/…: the process ended before it answered."]);
        (await migrator.AuditAsync(2, ct: MigrationCase.Ct)).Select(a => a.Details).Reverse().ShouldBe(sentences);
    }

    [Fact]
    public async Task A_worker_tells_of_its_runs_and_of_what_did_not_arrive()
    {
        await using var c = await NewAsync();
        await using HookSink sink = new();
        sink.Answer = call => call.Document().GetProperty("event").GetString() == "started" ? HookSink.Say(410, "gone") : HookSink.Say(200, "ok");
        var migrator = c.Knows(Two);
        await migrator.SetAsync("notify", sink.Url.ToString(), "ada", MigrationCase.Ct);
        var run = await MigrationCase.CreateAsync(migrator, "m");
        await migrator.QueueAsync(run, "ada", MigrationCase.Ct);
        ConcurrentQueue<WorkerEvent> events = new();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(MigrationCase.Ct);

        var working = new Worker(migrator, new Seen(events.Enqueue)) { Period = TimeSpan.FromMilliseconds(50) }.RunAsync(stop.Token);
        await Wait.UntilAsync(() => sink.Events.Contains("failed"), MigrationCase.Ct);
        await stop.CancelAsync();
        await working;

        events.Where(e => e.IsTrouble).Select(e => (e.RunId, e.Message)).ShouldContain((
            run, $"\"Migration m has started on {migrator.Node} (run {run}).\" did not reach http://127.0.0.1:{sink.Port}/…: it answered with HTTP 410 (gone): check the address and what it accepts."));
        sink.Events.ShouldBe(["started", "failed"]);
    }

    private static MigratorOptions Options(MigrationCase c, string yaml)
    {
        var (migration, _) = Godwit.Migrations.Yaml.YamlReader.Read("m.yaml", yaml.Replace("{db}", c.Database, StringComparison.Ordinal));
        return new MigratorOptions { Migrations = new MigrationSet([migration!]) };
    }

    private static string[] Fields(JsonElement document, params string[] names) => [.. names.Select(n => document.GetProperty(n).GetString() ?? "")];

    private async Task<MigrationCase> NewAsync()
    {
        var c = await MigrationCase.NewAsync(real.Engine);
        await c.SqlAsync("CREATE TABLE {db}.log (n UInt32, what String) ENGINE = MergeTree ORDER BY n");
        return c;
    }

    private sealed class Seen(Action<WorkerEvent> see) : IProgress<WorkerEvent>
    {
        public void Report(WorkerEvent value) => see(value);
    }

    private sealed class Failures : IProgress<NotificationFailure>
    {
        private readonly ConcurrentQueue<NotificationFailure> _all = new();

        public IReadOnlyList<NotificationFailure> All => [.. _all];

        public void Report(NotificationFailure value) => _all.Enqueue(value);
    }
}
