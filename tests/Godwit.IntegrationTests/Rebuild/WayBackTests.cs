using Godwit.CrashHost;
using Godwit.Fixtures;
using Godwit.IntegrationTests.Kafka;
using Godwit.Metadata;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>A rollback that would lose something says so and leaves a run that can go on; nothing that was held stays held.</summary>
public sealed class WayBackTests(RealEngine real)
{
    private const string Source = "CREATE TABLE @t (id UInt64, k UInt8, v UInt64) ENGINE = MergeTree ORDER BY id";
    private const string Rows = "INSERT INTO @t SELECT number, number % 3, number FROM numbers(1000)";

    /// <summary>What happens after the cutover, and what a rollback answers: it is refused, and the run stays completed.</summary>
    public static TheoryData<string, string, string, string> Refusals => new()
    {
        { "static", "UInt64", "INSERT INTO @t VALUES (5000, 1, 1)", "has been written to since the cutover" },
        { "static", "UInt64", "ALTER TABLE @t DELETE WHERE id = 7 SETTINGS mutations_sync = 1", "has been written to since the cutover" },
        { "block-log", "String", "INSERT INTO @t VALUES (5000, 1, 'seven')", "seven" },
        { "block-log", "UInt64", "ALTER TABLE @t DELETE WHERE id = 7 SETTINGS mutations_sync = 1", "(DELETE WHERE id = 7) changed" },
        { "block-log", "UInt64", "ALTER TABLE @t ADD COLUMN extra UInt8", "extra" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_rollback_that_would_lose_something_is_refused_and_the_run_stays_completed(string strategy, string type, string change, string sentence)
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(Source, Rows);
        var run = await c.RunAsync(new RebuildRequest { Table = c.Table, OrderBy = "(k, id)", ModifyColumns = [$"v {type}"], Strategy = strategy });
        run.State.ShouldBe(RunState.Completed, run.Problem);
        await c.SqlAsync(change);

        var refused = await c.Migrator.RollbackAsync(run.RunId, ct: RebuildCase.Ct);

        (refused.State, refused.CleanedUp).ShouldBe((RunState.Completed, false));
        refused.Problem.ShouldNotBeNull().ShouldContain(sentence);
        (await c.AskAsync<long>($"SELECT count() FROM system.tables WHERE database = '{c.Database}' AND match(name, '_godwit_.*_')")).ShouldBe(0, "helper tables are left");
        (await c.Migrator.CleanUpAsync(run.RunId, ct: RebuildCase.Ct)).CleanedUp.ShouldBeTrue();
    }

    [Fact]
    public async Task A_mutation_after_the_cutover_is_told_once_and_taken_back_when_the_rollback_is_asked_for_again()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(Source, Rows);
        var run = await c.RunAsync(new RebuildRequest { Table = c.Table, OrderBy = "(k, id)" });
        await c.SqlAsync("ALTER TABLE @t DELETE WHERE id = 7 SETTINGS mutations_sync = 1");
        (await c.Migrator.RollbackAsync(run.RunId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.Completed);

        (await c.Migrator.RollbackAsync(run.RunId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.RolledBack);

        (await c.AskAsync<long>("SELECT count() FROM @t")).ShouldBe(1000);
    }

    [Fact]
    public async Task A_cleanup_lets_go_of_what_a_rollback_held_that_died_before_it_began()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync($"{Source} SETTINGS max_bytes_to_merge_at_max_space_in_pool = 100000000000", Rows);
        var run = await c.RunAsync(new RebuildRequest { Table = c.Table, Engine = "ReplacingMergeTree(v)", OrderBy = "(k, id)", Accept = ["key-identity"] });
        run.State.ShouldBe(RunState.Completed, run.Problem);
        await c.SqlAsync(
            "ALTER TABLE @t MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1",
            "SYSTEM STOP MERGES @t",
            $"CREATE TABLE {c.Database}.t_godwit_{run.RunId}_l9 (id UInt64) ENGINE = MergeTree ORDER BY id");

        (await c.Migrator.CleanUpAsync(run.RunId, ct: RebuildCase.Ct)).CleanedUp.ShouldBeTrue();

        (await c.DefinitionAsync("t")).ShouldContain("max_bytes_to_merge_at_max_space_in_pool = 100000000000");
        (await c.DefinitionAsync("t")).ShouldNotContain("max_bytes_to_merge_at_min_space_in_pool");
        (await c.AskAsync<long>($"SELECT count() FROM system.tables WHERE database = '{c.Database}' AND name LIKE '%godwit%'")).ShouldBe(0);
        await c.SqlAsync("INSERT INTO @t VALUES (1, 1, 5)", "OPTIMIZE TABLE @t FINAL");
        (await c.AskAsync<long>("SELECT count() FROM system.parts WHERE database = '@' AND table = 't' AND active".Replace("@", c.Database, StringComparison.Ordinal))).ShouldBe(1, "merges go on");
    }

    [Fact]
    public async Task A_run_that_is_stopped_right_before_the_exchange_holds_nothing()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(
            "CREATE TABLE @t (id UInt64, v UInt64) ENGINE = ReplacingMergeTree(v) ORDER BY id",
            "INSERT INTO @t SELECT number, 1 FROM numbers(1000)",
            "CREATE MATERIALIZED VIEW @seen ENGINE = MergeTree ORDER BY id AS SELECT id FROM @t");
        var (run, stopped) = await RunUntilAsync(c, "Intent exchange", new RebuildRequest { Table = c.Table, PartitionBy = "id % 2" });

        stopped.State.ShouldBe(RunState.Paused, stopped.Problem);
        (await c.AskAsync<long>($"SELECT count() FROM system.tables WHERE database = '{c.Database}' AND match(name, '_w(_f)?$')")).ShouldBe(0, "the witness is gone");
        await c.SqlAsync("OPTIMIZE TABLE @t FINAL SETTINGS optimize_throw_if_noop = 0");
        (await c.Migrator.ResumeAsync(run, ct: RebuildCase.Ct)).State.ShouldBe(RunState.Completed);
    }

    [Fact]
    public async Task A_rollback_that_cannot_be_is_refused_between_the_exchange_and_the_end_and_the_run_is_finished_by_resume()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync("CREATE TABLE @t (id UInt64, n UInt64) ENGINE = SummingMergeTree ORDER BY id", "INSERT INTO @t SELECT number, 1 FROM numbers(1000)");
        var (run, _) = await RunUntilAsync(c, "Outcome exchange", new RebuildRequest { Table = c.Table, PartitionBy = "id % 2" });

        var refused = await c.Migrator.RollbackAsync(run, ct: RebuildCase.Ct);

        refused.Problem.ShouldNotBeNull().ShouldContain("no way back without loss");
        (await c.Migrator.ResumeAsync(run, ct: RebuildCase.Ct)).State.ShouldBe(RunState.Completed);
        (await c.AskAsync<long>("SELECT sum(n) FROM @t")).ShouldBe(1000);
    }

    [Fact]
    public async Task A_rollback_that_is_stopped_before_it_begins_leaves_a_completed_run_that_can_be_rolled_back()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(Source, Rows);
        var run = await c.RunAsync(new RebuildRequest { Table = c.Table, OrderBy = "(k, id)" });
        await c.SqlAsync("INSERT INTO @t SELECT 1000 + number, 1, 1 FROM numbers(50)");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(RebuildCase.Ct);

        var stopped = await Stopping(c, "Fact round/backward", stop).RollbackAsync(run.RunId, ct: stop.Token);

        stopped.State.ShouldBe(RunState.Completed, stopped.Problem);
        (await c.Migrator.RollbackAsync(run.RunId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await c.AskAsync<string>("SELECT toString((count(), uniqExact(id))) FROM @t")).ShouldBe("(1050,1050)");
    }

    [Fact]
    public async Task A_rollback_that_gets_ready_is_stopped_by_somebody_else_and_a_completed_run_without_one_has_nothing_to_stop()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(Source, Rows);
        var run = (await c.RunAsync(new RebuildRequest { Table = c.Table, OrderBy = "(k, id)" })).RunId;
        (await c.Migrator.ChoicesAsync(run, RebuildCase.Ct)).ShouldNotContain(RunRequest.Stop);
        (await Should.ThrowAsync<WrongStateException>(c.Migrator.StopAsync(run, RebuildCase.Ct))).Message.ShouldBe($"Run {run} is Completed and nobody works on it, so there is nothing to stop.");
        await c.SqlAsync("INSERT INTO @t SELECT 1000 + number, 1, 1 FROM numbers(50)");
        var (isReady, looks) = (new TaskCompletionSource(), new Looks());
        using var network = new Meddler("INSERT INTO", async () =>
        {
            // The owner has looked what is asked of it once more, with the request in the store.
            isReady.SetResult();
            await Wait.UntilAsync(async () => await c.Store.GetRequestAsync(run, RebuildCase.Ct) == RunRequest.Stop, RebuildCase.Ct);
            var before = looks.Count;
            await Wait.UntilAsync(() => looks.Count > before + 1, RebuildCase.Ct);
        });
        using var gateway = real.Engine.Gateway(network);
        var undoing = new Migrator(gateway, c.Store).RollbackAsync(run, looks, ct: RebuildCase.Ct);
        await isReady.Task;
        (await c.Migrator.ChoicesAsync(run, RebuildCase.Ct)).ShouldContain(RunRequest.Stop);

        var stopped = await c.Migrator.StopAsync(run, RebuildCase.Ct);

        ((await undoing).State, stopped.State, stopped.Asked, stopped.Owner).ShouldBe((RunState.Completed, RunState.Completed, RunRequest.None, null));
        (await c.Migrator.RollbackAsync(run, ct: RebuildCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await c.AskAsync<string>("SELECT toString((count(), uniqExact(id))) FROM @t")).ShouldBe("(1050,1050)");
    }

    [Fact]
    public async Task An_ALTER_that_lets_the_server_delete_rows_has_no_way_back_and_says_so()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync("CREATE TABLE @t (id UInt64, d Date) ENGINE = MergeTree ORDER BY id", "INSERT INTO @t VALUES (1, '2020-01-01')");
        var request = new RebuildRequest { Table = c.Table, Ttl = "d + toIntervalMonth(1)" };
        (await c.ProposeAsync(request)).Plan!.Reasons.ShouldContain(r => r.StartsWith("Point of no return: the server deletes", StringComparison.Ordinal));

        (await c.RunAsync(request, "alter")).RollbackUntil.ShouldBeNull();
    }

    [Fact]
    public async Task An_ALTER_waits_for_a_deferred_cutover()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(Source, Rows);
        Task<long> ColumnsAsync() => c.AskAsync<long>($"SELECT count() FROM system.columns WHERE database = '{c.Database}' AND table = 't'");

        var run = await c.RunAsync(new RebuildRequest { Table = c.Table, DropColumns = ["v"] }, async () => (await ColumnsAsync()).ShouldBe(3));

        (run.State, await ColumnsAsync()).ShouldBe((RunState.Completed, 2));
    }

    [Fact]
    public async Task Tables_that_a_known_run_keeps_are_not_called_leftovers()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(Source, Rows);
        var request = new RebuildRequest { Table = c.Table, OrderBy = "(k, id)" };
        var run = await c.RunAsync(request);

        var checks = (await c.Migrator.ProposeAsync(request with { OrderBy = "v" }, new RunOptions(), RebuildCase.Ct)).Checks.Concat(await c.Migrator.DiagnoseAsync(c.Table, RebuildCase.Ct));

        checks.Where(r => r.Blocks).Select(r => r.Message).Distinct().ShouldBe([$"Run {run.RunId} on {c.Table} is Completed and its old table is kept for a rollback; `godwit cleanup {run.RunId}` ends that."]);
    }

    /// <summary>Runs a rebuild and stops it, as Ctrl-C does, once something is written to its journal.</summary>
    private static async Task<(string Run, RunStatus Status)> RunUntilAsync(RebuildCase c, string entry, RebuildRequest request)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(RebuildCase.Ct);
        var migrator = Stopping(c, entry, stop);
        var run = await migrator.CreateRunAsync((await c.ProposeAsync(request)).Plan!, new RunOptions(), RebuildCase.Ct);
        return (run, await migrator.RunAsync(run, ct: stop.Token));
    }

    private static Migrator Stopping(RebuildCase c, string entry, CancellationTokenSource stop) =>
        new(c.Gateway, new CrashingStore(c.Store, (_, name, _, isWritten) => isWritten && name == entry ? stop.CancelAsync() : Task.CompletedTask));
}
