using Godwit.CrashHost;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>What others do between the plan and the exchange, or at it, that a strategy cannot follow: it is found and told, and no row is lost by it.</summary>
public sealed class LateChangesTests(RealEngine real)
{
    private const string Queue = "CREATE TABLE @queue (id UInt64, day Date) ENGINE = Kafka('127.0.0.1:1', 't', 'g', 'JSONEachRow')";
    private const string View = "CREATE MATERIALIZED VIEW @pump TO @t AS SELECT id, day FROM @queue";

    [Theory]
    [InlineData("block-log")]
    [InlineData("static")]
    public async Task A_Kafka_table_that_came_after_the_plan_stops_the_cutover_and_a_rollback_until_it_is_detached(string strategy)
    {
        await using var c = await CaseAsync();
        var run = await c.Migrator.CreateRunAsync((await c.ProposeAsync(Wish(c, strategy))).Plan!, new RunOptions(), RebuildCase.Ct);
        await c.SqlAsync(Queue, View);

        var status = await c.Migrator.RunAsync(run, ct: RebuildCase.Ct);

        status.State.ShouldBe(RunState.Failed);
        status.Problem.ShouldNotBeNull().ShouldStartWith(
            $"{c.Database}.queue (Kafka, through {c.Database}.pump) writes to {c.Table} in the background, and the plan knows nothing of it: nothing would hold it while the names change hands. DETACH it and `resume`");
        (await KeyAsync(c)).ShouldBe("id");

        await c.SqlAsync("DETACH TABLE @queue PERMANENTLY SYNC");
        (await c.Migrator.ResumeAsync(run, ct: RebuildCase.Ct)).State.ShouldBe(RunState.Completed);
        await c.SqlAsync("ATTACH TABLE @queue");
        status = await c.Migrator.RollbackAsync(run, ct: RebuildCase.Ct);
        status.State.ShouldBe(RunState.Completed, "a rollback that had not begun leaves the run as it is");
        status.Problem.ShouldNotBeNull().ShouldContain("DETACH it and `rollback`.");
        (await KeyAsync(c)).ShouldBe("day, id");
    }

    [Theory]
    [InlineData("block-log")]
    [InlineData("static")]
    public async Task An_UPDATE_that_comes_when_the_first_parts_are_linked_stops_the_run(string strategy)
    {
        await using var c = await CaseAsync("ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(day) ORDER BY id");
        var migrator = Watched(c, "Fact linked/", 1, () => c.SqlAsync("ALTER TABLE @t UPDATE n = 1 WHERE 1 SETTINGS mutations_sync = 1"));
        var plan = (await migrator.ProposeAsync(new RebuildRequest { Table = c.Table, Engine = "MergeTree", Strategy = strategy }, new RunOptions(), RebuildCase.Ct)).Plan!;
        plan.Steps.ShouldContain(s => s.Kind == "link-partition");

        var status = await migrator.RunAsync(await migrator.CreateRunAsync(plan, new RunOptions(), RebuildCase.Ct), ct: RebuildCase.Ct);

        status.State.ShouldBe(RunState.Failed);
        status.Problem.ShouldNotBeNull().ShouldContain("`rollback`, then");
        (await migrator.RollbackAsync(status.RunId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.RolledBack);
    }

    [Fact]
    public async Task An_insert_that_had_begun_before_the_rollback_of_a_static_run_is_told_before_the_new_table_is_dropped()
    {
        await using var c = await CaseAsync();
        var run = await c.Migrator.CreateRunAsync((await c.ProposeAsync(Wish(c, "static"))).Plan!, new RunOptions(), RebuildCase.Ct);
        var migrator = Watched(c, "Outcome exchange", 2, () => c.SqlAsync($"INSERT INTO {c.Database}.t_godwit_{run} (id, day) VALUES (7000, '2026-03-07')"));
        (await migrator.RunAsync(run, ct: RebuildCase.Ct)).State.ShouldBe(RunState.Completed);

        var status = await migrator.RollbackAsync(run, ct: RebuildCase.Ct);

        status.State.ShouldBe(RunState.NeedsOperator, status.Problem);
        status.Problem.ShouldNotBeNull().ShouldContain($"it is in {c.Database}.t_godwit_{run} alone");
        (await c.AskAsync<long>($"SELECT count() FROM {c.Database}.t_godwit_{run} WHERE id = 7000")).ShouldBe(1);
        (await migrator.RollbackAsync(run, ct: RebuildCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await KeyAsync(c)).ShouldBe("id");
    }

    [Fact]
    public async Task An_engine_that_folds_rows_and_is_copied_whole_is_not_said_to_be_linked()
    {
        await using var c = await CaseAsync("ENGINE = SummingMergeTree ORDER BY id");

        var proposal = await c.Migrator.ProposeAsync(
            new RebuildRequest { Table = c.Table, Engine = "MergeTree", Strategy = "pause-feed", PauseHook = "sql:SELECT 1", ResumeHook = "sql:SELECT 1" }, new RunOptions(), RebuildCase.Ct);

        var plan = proposal.Plan.ShouldNotBeNull(string.Join(' ', proposal.Checks.Where(r => r.Blocks).Select(r => r.Message)));
        plan.Reasons.ShouldNotContain(r => r.Contains("linked", StringComparison.Ordinal));
        plan.Steps.ShouldNotContain(s => s.Kind == "link-partition");
        proposal.Checks.Single(r => r.Check == "free-disk").Message.ShouldContain("free for a copy");
    }

    private static RebuildRequest Wish(RebuildCase c, string strategy) => new() { Table = c.Table, OrderBy = "(day, id)", Strategy = strategy };

    private static Migrator Watched(RebuildCase c, string entry, int which, Func<Task> meanwhile)
    {
        var seen = 0;
        return new Migrator(c.Gateway, new CrashingStore(c.Store, (_, name, _, isWritten) =>
            isWritten && name.StartsWith(entry, StringComparison.Ordinal) && ++seen == which ? meanwhile() : Task.CompletedTask));
    }

    private static Task<string> KeyAsync(RebuildCase c) => c.AskAsync<string>($"SELECT sorting_key FROM system.tables WHERE database = '{c.Database}' AND name = 't'");

    private async Task<RebuildCase> CaseAsync(string engine = "ENGINE = MergeTree ORDER BY id")
    {
        var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync($"CREATE TABLE @t (id UInt64, day Date, n UInt8 DEFAULT 0) {engine}", "INSERT INTO @t (id, day) SELECT number, toDate('2026-01-01') + number % 90 FROM numbers(900)");
        return c;
    }
}
