using Godwit.CrashHost;
using Godwit.Fixtures;
using Godwit.IntegrationTests.Kafka;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>Writers that Godwit cannot hold itself are paused by hooks while the names change hands.</summary>
public sealed class PauseHookTests(RealEngine real) : IDisposable
{
    private readonly HookFolder _folder = new();

    [Fact]
    public async Task Writers_are_paused_for_the_exchange_alone_and_go_on_after_the_cutover_and_after_the_rollback()
    {
        await using var c = await CaseAsync();
        var wish = Wish(c) with
        {
            PauseHook = $"sql:INSERT INTO {c.Database}.calls SELECT 'pause', sorting_key FROM system.tables WHERE database = '{c.Database}' AND name = 't'",
            ResumeHook = $"sql:INSERT INTO {c.Database}.calls SELECT 'resume', sorting_key FROM system.tables WHERE database = '{c.Database}' AND name = 't'",
        };

        var status = await c.RunAsync(wish, "pause-feed");

        status.State.ShouldBe(RunState.Completed, status.Problem);
        status.Cutover!.PausedSeconds.ShouldNotBeNull();
        (await CallsAsync(c)).ShouldBe("pause id, resume day, id");
        (await c.Migrator.RollbackAsync(status.RunId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await CallsAsync(c)).ShouldBe("pause id, resume day, id, pause day, id, resume id");
    }

    [Fact]
    public async Task A_table_that_a_buffer_writes_to_can_be_rebuilt_when_a_hook_empties_it()
    {
        await using var c = await CaseAsync();
        await c.SqlAsync($"CREATE TABLE @buffer AS @t ENGINE = Buffer({c.Database}, t, 1, 600, 600, 1000000, 1000000, 100000000, 100000000)", "INSERT INTO @buffer SELECT number, '2026-03-01' FROM numbers(500, 50)");
        var wish = Wish(c) with { PauseHook = $"sql:OPTIMIZE TABLE {c.Database}.buffer", ResumeHook = "sql:SELECT 1" };

        var proposal = await c.ProposeAsync(wish);
        var status = await c.Migrator.RunAsync(await c.Migrator.CreateRunAsync(proposal.Plan!, new RunOptions(), RebuildCase.Ct), ct: RebuildCase.Ct);

        proposal.Plan!.Reasons.ShouldContain(r => r.Contains("the pause hook must hold that, too", StringComparison.Ordinal));
        proposal.Plan.Reasons.ShouldContain(r => r.StartsWith("Writers are paused for that moment by sql:OPTIMIZE", StringComparison.Ordinal));
        proposal.Plan.Steps[^1].Description.ShouldStartWith("Pause the writers, exchange the names of ");
        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await c.AskAsync<long>("SELECT count() FROM @t")).ShouldBe(150);
    }

    [Fact]
    public async Task A_pause_that_fails_lets_the_writers_go_on_and_leaves_the_names()
    {
        await using var c = await CaseAsync();
        _folder.Command("pause", $"test -e {_folder.Path}/mended || {{ echo 'no such consumer' >&2; exit 3; }}");
        _folder.Command("resume", $"echo resumed >> {_folder.Path}/log");
        var migrator = Migrator(c);

        var status = await RunAsync(c, migrator, Wish(c) with { PauseHook = "command:pause", ResumeHook = "command:resume" });

        status.State.ShouldBe(RunState.Failed);
        status.Problem.ShouldNotBeNull().ShouldStartWith(
            $"The writers of {c.Table} could not be paused: command:pause: it ended with exit code 3: no such consumer. They were told to go on, and the names are as they were: mend it and `resume`.");
        (await KeyAsync(c)).ShouldBe("id");
        (await File.ReadAllLinesAsync(_folder.File("log"), RebuildCase.Ct)).ShouldBe(["resumed"]);

        await File.WriteAllTextAsync(_folder.File("mended"), "", RebuildCase.Ct);
        (await migrator.ResumeAsync(status.RunId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.Completed);
        (await KeyAsync(c)).ShouldBe("day, id");
    }

    [Fact]
    public async Task A_pause_that_does_not_end_is_given_up_after_its_timeout()
    {
        await using var c = await CaseAsync();
        _folder.Command("pause", "exec sleep 600");
        _folder.Command("resume", "exit 0");

        var status = await RunAsync(c, Migrator(c), Wish(c) with { PauseHook = "command:pause", ResumeHook = "command:resume", HookTimeout = TimeSpan.FromSeconds(1) });

        status.State.ShouldBe(RunState.Failed);
        status.Problem.ShouldNotBeNull().ShouldContain("command:pause: it was not done within 1 s");
    }

    [Fact]
    public async Task Writers_that_cannot_be_told_to_go_on_are_told_to_a_person_and_tried_again()
    {
        await using var c = await CaseAsync();
        _folder.Command("pause", "exit 0");
        _folder.Command("resume", $"test -e {_folder.Path}/mended");
        var migrator = Migrator(c);

        var status = await RunAsync(c, migrator, Wish(c) with { PauseHook = "command:pause", ResumeHook = "command:resume" });

        status.State.ShouldBe(RunState.Failed);
        status.Problem.ShouldNotBeNull().ShouldStartWith($"The writers of {c.Table} could not be told to go on: command:resume: it ended with exit code 1.");
        await File.WriteAllTextAsync(_folder.File("mended"), "", RebuildCase.Ct);
        (await migrator.ResumeAsync(status.RunId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.Completed);
    }

    [Fact]
    public async Task Statements_that_the_server_cannot_read_are_refused_before_anything_is_copied()
    {
        await using var c = await CaseAsync();

        var proposal = await Migrator(c).ProposeAsync(Wish(c) with { PauseHook = "sql:SELEC 1", ResumeHook = "sql:SYSTEM RESUME ALL" }, new RunOptions(), RebuildCase.Ct);

        proposal.Plan.ShouldBeNull();
        var refusal = proposal.Checks.Single(r => r.Blocks);
        refusal.Check.ShouldBe("pause-hooks");
        refusal.Message.ShouldContain("--pause-hook is no statement that the server understands: Syntax error");
        refusal.Message.ShouldContain("--resume-hook is no statement that the server understands: Syntax error");
    }

    [Fact]
    public async Task Of_hooks_that_both_fail_both_are_told()
    {
        await using var c = await CaseAsync();

        var status = await RunAsync(c, Migrator(c), Wish(c) with { PauseHook = "command:pause", ResumeHook = "command:resume" });

        status.State.ShouldBe(RunState.Failed);
        status.Problem.ShouldNotBeNull().ShouldStartWith($"The writers of {c.Table} could not be paused: command:pause: {_folder.Path}/pause cannot be started");
        status.Problem.ShouldContain($". The writers of {c.Table} could not be told to go on: command:resume: {_folder.Path}/resume cannot be started");
        status.Problem.ShouldNotContain("They were told to go on");
    }

    [Fact]
    public async Task Writers_that_cannot_be_told_to_go_on_do_not_hide_that_a_person_must_look_at_the_names()
    {
        await using var c = await CaseAsync();
        _folder.Command("pause", "exit 0");
        _folder.Command("resume", $"test -e {_folder.Path}/mended");
        using var network = new Meddler("EXCHANGE TABLES", async () => await c.SqlAsync($"EXCHANGE TABLES @t AND {c.Database}.t_godwit_{(await c.Migrator.ListAsync(RebuildCase.Ct))[0].RunId}"));
        using var gateway = real.Engine.Gateway(network);
        var migrator = new Migrator(gateway, c.Store, new MigratorOptions { HookFolder = _folder.Path });

        var status = await RunAsync(c, migrator, Wish(c) with { PauseHook = "command:pause", ResumeHook = "command:resume" });

        status.State.ShouldBe(RunState.NeedsOperator, status.Problem);
        status.Problem.ShouldNotBeNull().ShouldContain("was answered but the names did not change hands");
        status.Problem.ShouldContain($"The writers of {c.Table} could not be told to go on: command:resume: it ended with exit code 1.");
        await File.WriteAllTextAsync(_folder.File("mended"), "", RebuildCase.Ct);
        (await migrator.ResumeAsync(status.RunId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.Completed);
    }

    [Fact]
    public async Task A_pause_that_takes_longer_than_its_budget_ends_and_is_tried_again()
    {
        await using var c = await CaseAsync();
        _folder.Command("pause", $"test -e {_folder.Path}/once && exit 0; touch {_folder.Path}/once; exec sleep 600");
        _folder.Command("resume", $"echo resumed >> {_folder.Path}/log");

        var status = await RunAsync(
            c, Migrator(c), Wish(c) with { PauseHook = "command:pause", ResumeHook = "command:resume" }, new RunOptions { PauseBudget = TimeSpan.FromSeconds(1) });

        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await File.ReadAllLinesAsync(_folder.File("log"), RebuildCase.Ct)).ShouldBe(["resumed", "resumed"]);
    }

    [Fact]
    public async Task Writers_go_on_also_when_the_server_is_lost_while_a_Kafka_table_is_put_back()
    {
        await using var c = await CaseAsync();
        await AddFeedAsync(c);
        _folder.Command("pause", "exit 0");
        _folder.Command("resume", $"echo resumed >> {_folder.Path}/log");
        using var network = new Meddler("ATTACH TABLE", () => throw new HttpRequestException("The answer was lost."));
        using var gateway = real.Engine.Gateway(network);
        var migrator = new Migrator(gateway, c.Store, new MigratorOptions { HookFolder = _folder.Path });

        var status = await RunAsync(c, migrator, Wish(c) with { PauseHook = "command:pause", ResumeHook = "command:resume", Accept = KafkaFeed.NoBroker });
        status = status.State == RunState.Completed ? status : await migrator.ResumeAsync(status.RunId, ct: RebuildCase.Ct);

        status.State.ShouldBe(RunState.Completed, status.Problem);

        (await File.ReadAllLinesAsync(_folder.File("log"), RebuildCase.Ct)).ShouldBe(["resumed"]);
        (await FeedersAsync(c)).ShouldBe(2);
    }

    [Fact]
    public async Task While_the_server_is_away_writers_go_on_and_the_run_waits_however_long_to_put_the_rest_back()
    {
        await using var engine = await EngineFixture.StartAsync();
        await using var c = await CaseAsync(engine);
        await AddFeedAsync(c);
        _folder.Command("pause", "exit 0");
        _folder.Command("resume", $"echo resumed >> {_folder.Path}/log");
        using var network = new Meddler("EXCHANGE TABLES", engine.KillAsync);
        using var gateway = engine.Gateway(network);
        var migrator = new Migrator(gateway, c.Store, new MigratorOptions { HookFolder = _folder.Path, Patience = TimeSpan.FromSeconds(1) });

        var run = RunAsync(c, migrator, Wish(c) with { PauseHook = "command:pause", ResumeHook = "command:resume", Accept = KafkaFeed.NoBroker });
        await Wait.UntilAsync(() => File.Exists(_folder.File("log")), RebuildCase.Ct);
        var resumed = TimeProvider.System.GetTimestamp();
        await Wait.UntilAsync(
            async () => run.IsCompleted || (TimeProvider.System.GetElapsedTime(resumed) > TimeSpan.FromSeconds(5)
                && (await migrator.StatusAsync((await migrator.ListAsync(RebuildCase.Ct))[0].RunId, RebuildCase.Ct)).Brake?.StartsWith("trying again: ", StringComparison.Ordinal) == true),
            RebuildCase.Ct);
        run.IsCompleted.ShouldBeFalse();
        await engine.RestartAsync();

        var status = await run;
        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await FeedersAsync(c)).ShouldBe(2);
    }

    [Fact]
    public async Task When_the_store_is_lost_while_writers_stand_still_all_is_put_back_all_the_same()
    {
        await using var c = await CaseAsync();
        await AddFeedAsync(c);
        _folder.Command("pause", "exit 0");
        _folder.Command("resume", $"echo resumed >> {_folder.Path}/log");
        var isLost = false;
        var store = new CrashingStore(c.Store, (_, name, _, isWritten) =>
        {
            isLost |= name == "Outcome hold" && isWritten;
            return isLost && !isWritten ? throw new StoreException("The disk is full.") : Task.CompletedTask;
        });
        var migrator = new Migrator(c.Gateway, store, new MigratorOptions { HookFolder = _folder.Path });

        await Should.ThrowAsync<StoreException>(() => RunAsync(c, migrator, Wish(c) with { PauseHook = "command:pause", ResumeHook = "command:resume", Accept = KafkaFeed.NoBroker }));

        (await File.ReadAllLinesAsync(_folder.File("log"), RebuildCase.Ct)).ShouldBe(["resumed"]);
        (await FeedersAsync(c)).ShouldBe(2);
        var status = await Migrator(c).ResumeAsync((await c.Migrator.ListAsync(RebuildCase.Ct))[0].RunId, ct: RebuildCase.Ct);
        status.State.ShouldBe(RunState.Completed, status.Problem);
    }

    [Fact]
    public async Task Whoever_reads_the_plan_of_a_run_does_not_see_the_addresses_of_its_hooks()
    {
        await using var c = await CaseAsync();
        var proposal = await c.ProposeAsync(Wish(c) with { PauseHook = "https://hooks.example/S3CRET", ResumeHook = "sql:SELECT 1" });
        var run = await c.Migrator.CreateRunAsync(proposal.Plan!, new RunOptions(), RebuildCase.Ct);

        var plan = PlanFormat.Serialize(await c.Migrator.PlanAsync(run, RebuildCase.Ct));

        plan.ShouldContain("https://hooks.example");
        plan.ShouldNotContain("hooks.example/S3CRET");
    }

    public void Dispose() => _folder.Dispose();

    private static RebuildRequest Wish(RebuildCase c) => new() { Table = c.Table, OrderBy = "(day, id)" };

    // A Kafka table whose broker is nowhere can be held and put back all the same.
    private static Task AddFeedAsync(RebuildCase c) => c.SqlAsync(
        "CREATE TABLE @queue (id UInt64, day Date) ENGINE = Kafka SETTINGS kafka_broker_list = '127.0.0.1:1', kafka_topic_list = 'none', kafka_group_name = 'hooks', kafka_format = 'JSONEachRow'",
        "CREATE MATERIALIZED VIEW @mv TO @t AS SELECT * FROM @queue");

    private static Task<long> FeedersAsync(RebuildCase c) => c.AskAsync<long>($"SELECT count() FROM system.tables WHERE database = '{c.Database}' AND name IN ('queue', 'mv')");

    private static Task<string> KeyAsync(RebuildCase c) => c.AskAsync<string>($"SELECT sorting_key FROM system.tables WHERE database = '{c.Database}' AND name = 't'");

    private static Task<string> CallsAsync(RebuildCase c) => c.AskAsync<string>("SELECT arrayStringConcat(groupArray(hook || ' ' || key), ', ') FROM (SELECT * FROM @calls)");

    private static async Task<RunStatus> RunAsync(RebuildCase c, Migrator migrator, RebuildRequest wish, RunOptions? options = null)
    {
        options ??= new RunOptions();
        return await migrator.RunAsync(await migrator.CreateRunAsync((await c.ProposeAsync(wish, options)).Plan!, options, RebuildCase.Ct), ct: RebuildCase.Ct);
    }

    private Migrator Migrator(RebuildCase c) => new(c.Gateway, c.Store, new MigratorOptions { HookFolder = _folder.Path });

    private Task<RebuildCase> CaseAsync() => CaseAsync(real.Engine);

    private static async Task<RebuildCase> CaseAsync(EngineFixture engine)
    {
        var c = await RebuildCase.NewAsync(engine);
        await c.SqlAsync(
            "CREATE TABLE @t (id UInt64, day Date) ENGINE = MergeTree ORDER BY id",
            "INSERT INTO @t SELECT number, '2026-03-01' FROM numbers(100)",
            "CREATE TABLE @calls (hook String, key String) ENGINE = Log");
        return c;
    }
}
