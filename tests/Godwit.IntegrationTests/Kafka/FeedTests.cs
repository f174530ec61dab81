using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.IntegrationTests.Inspection;
using Godwit.IntegrationTests.Rebuild;
using Godwit.Metadata;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Kafka;

/// <summary>What writes to a table is found, told, and held: with Kafka tables whose broker is away.</summary>
public sealed class FeedTests(RealEngine real, LoggedEngine logged) : IClassFixture<LoggedEngine>
{
    private const string Columns = "(id UInt64, day Date)";
    private const string Queue = $"CREATE TABLE @queue {Columns} ENGINE = Kafka SETTINGS kafka_broker_list = '127.0.0.1:1', kafka_topic_list = 'x', kafka_group_name = 'g', kafka_format = 'JSONEachRow'";
    private const string Plain = $"CREATE TABLE @t {Columns} ENGINE = MergeTree PARTITION BY day ORDER BY id";
    private const string Rows = "INSERT INTO @t SELECT number, '2026-01-01' FROM numbers(1000)";

    public static TheoryData<string> Chains => [.. Known.Keys];

    private static Dictionary<string, Chain> Known { get; } = new()
    {
        ["nobody"] = new([], [], []),
        ["a view"] = new([Queue, "CREATE MATERIALIZED VIEW @mv TO @t AS SELECT * FROM @queue"], ["@queue (Kafka, through @mv)"], []),
        ["a Distributed table between"] = new(
            [Queue, $"CREATE TABLE @w {Columns} ENGINE = Distributed('alone', '{{db}}', 't')", "CREATE MATERIALIZED VIEW @mv TO @w AS SELECT * FROM @queue"], ["@queue (Kafka, through @mv and @w)"], ["@w"]),
        ["a Null table between"] = new(
            [Queue, $"CREATE TABLE @n {Columns} ENGINE = Null", "CREATE MATERIALIZED VIEW @a TO @n AS SELECT * FROM @queue", "CREATE MATERIALIZED VIEW @b TO @t AS SELECT * FROM @n WHERE id > 3"],
            ["@queue (Kafka, through @a and @b)"],
            ["@n"]),
        ["a queue that feeds another table"] = new([Queue, $"CREATE TABLE @x {Columns} ENGINE = Null", "CREATE MATERIALIZED VIEW @mv TO @x AS SELECT * FROM @queue"], [], []),
        ["views in a circle"] = new([$"CREATE TABLE @n {Columns} ENGINE = MergeTree ORDER BY id", "CREATE MATERIALIZED VIEW @a TO @t AS SELECT * FROM @n", "CREATE MATERIALIZED VIEW @b TO @n AS SELECT * FROM @t"], [], ["@n"]),
        ["names that must be quoted"] = new(
            [Queue.Replace("@queue", "@`qu.eue' \"`", StringComparison.Ordinal), "CREATE MATERIALIZED VIEW @`m v` TO @t AS SELECT * FROM @`qu.eue' \"`"], ["@\"qu.eue' \\\"\" (Kafka, through @\"m v\")"], []),
        ["a buffer"] = new(["CREATE TABLE @b AS @t ENGINE = Buffer('{db}', 't', 1, 10, 100, 10, 100, 1000, 10000)"], ["@b (Buffer)"], []),
    };

    [Theory]
    [MemberData(nameof(Chains))]
    public async Task Feeds_are_found_over_views_and_tables_that_pass_on(string name)
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        var chain = Known[name];
        await c.SqlAsync([Plain, .. chain.Statements.Select(s => s.Replace("{db}", c.Database, StringComparison.Ordinal))]);

        var feed = await FeedReader.ReadAsync(c.Gateway, await Capabilities.ProbeAsync(c.Gateway, RebuildCase.Ct), c.Table, RebuildCase.Ct);

        feed.Sources.Select(s => s.ToString()).ShouldBe(chain.Sources.Select(s => s.Replace("@", $"{c.Database}.", StringComparison.Ordinal)));
        feed.Upstream.Select(s => s.ToString()).ShouldBe(chain.Upstream.Select(s => s.Replace("@", $"{c.Database}.", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_plan_says_what_feeds_the_table_and_what_is_held_for_it()
    {
        await using var c = await FedAsync();

        var plan = (await c.ProposeAsync(Sorted(c))).Plan!;

        plan.Strategy.ShouldBe("pause-feed");
        plan.Reasons.ShouldContain($"{c.Database}.queue (Kafka, through {c.Database}.mv) writes to {c.Table} in the background.");
        plan.Reasons.ShouldContain(r => r.StartsWith($"{c.Database}.queue is detached for the moment in which the names change hands, 5 min 0 s at most", StringComparison.Ordinal));
        plan.Steps[^1].Description.ShouldStartWith($"Hold {c.Database}.queue, exchange the names of ");
    }

    [Theory]
    [InlineData("block-log", true, "Use --strategy pause-feed, which holds it")]
    [InlineData("pause-feed", false, "There is no feed of")]
    public async Task A_strategy_that_does_not_fit_the_feed_is_refused(string strategy, bool isFed, string sentence)
    {
        await using var c = isFed ? await FedAsync() : await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(isFed ? [] : [Plain]);

        var proposal = await c.Migrator.ProposeAsync(Sorted(c) with { Strategy = strategy }, new RunOptions(), RebuildCase.Ct);

        proposal.Plan.ShouldBeNull();
        proposal.Checks.Single(k => k.Blocks).ShouldSatisfyAllConditions(k => k.Check.ShouldBe("feed"), k => k.Message.ShouldContain(sentence));
    }

    [Fact]
    public async Task The_feed_is_held_for_a_moment_and_flows_again_after_the_cutover_and_after_the_rollback()
    {
        await using var c = await FedAsync();

        var status = await c.RunAsync(Sorted(c), "pause-feed");

        status.State.ShouldBe(RunState.Completed, status.Problem);
        status.Cutover!.PausedSeconds.ShouldNotBeNull().ShouldBeGreaterThan(0);
        (await FlowsAsync(c)).ShouldBeTrue();
        (await c.Migrator.RollbackAsync(status.RunId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await FlowsAsync(c)).ShouldBeTrue();
        var sent = (await c.Store.GetJournalAsync(status.RunId, RebuildCase.Ct)).Where(e => e.Name is "hold" or "release").Select(e => $"{e.Kind} {e.Name}");
        sent.ShouldBe(["Intent hold", "Outcome hold", "Intent release", "Outcome release", "Intent hold", "Outcome hold", "Intent release", "Outcome release"]);
    }

    [Theory]
    [InlineData("refused")]
    [InlineData("paused")]
    [InlineData("stopped")]
    public async Task It_flows_when_the_run_is_cut_off_while_it_is_held(string how)
    {
        await using var c = await FedAsync();
        var migrator = c.Migrator;
        var run = await migrator.CreateRunAsync((await c.ProposeAsync(Sorted(c))).Plan!, new RunOptions(), RebuildCase.Ct);
        var looks = new Looks();
        using var refuser = new Refuser("EXCHANGE TABLES") { IsMended = how != "refused" };
        using var network = new Meddler("DETACH TABLE", async () =>
        {
            (await FlowsAsync(c)).ShouldBeFalse();
            if (how != "refused")
            {
                await c.Store.PutRequestAsync(run, how == "paused" ? RunRequest.Pause : RunRequest.Stop, RebuildCase.Ct);
                var before = looks.Count;
                await Wait.UntilAsync(() => looks.Count > before + 1, RebuildCase.Ct);
            }
        })
        {
            InnerHandler = refuser,
        };
        using var gateway = real.Engine.Gateway(network);
        var work = new Migrator(gateway, c.Store).RunAsync(run, looks, RebuildCase.Ct);

        await Wait.UntilAsync(async () => (await migrator.StatusAsync(run, RebuildCase.Ct)).State is RunState.Failed or RunState.Paused, RebuildCase.Ct);

        (await FlowsAsync(c)).ShouldBeTrue();
        await (how == "paused" ? migrator.StopAsync(run, RebuildCase.Ct) : work);
        await work;
        (await migrator.ResumeAsync(run, ct: RebuildCase.Ct)).State.ShouldBe(RunState.Completed);
        (await FlowsAsync(c)).ShouldBeTrue();
    }

    [Fact]
    public async Task INSERTs_of_the_last_day_are_told_with_whose_they_are()
    {
        await using var c = await RebuildCase.NewAsync(logged.Engine);
        await c.SqlAsync(Plain);
        (await ReasonsAsync(c)).ShouldContain("No INSERT of the last day wrote to it.");
        await c.SqlAsync($"CREATE TABLE @n {Columns} ENGINE = Null", "CREATE MATERIALIZED VIEW @mv TO @t AS SELECT * FROM @n", Rows, Rows.Replace("@t", "@n", StringComparison.Ordinal));

        var reasons = await ReasonsAsync(c);

        reasons.ShouldContain($"What is inserted into {c.Database}.n arrives in {c.Table} too.");
        reasons.ShouldContain(r => r.StartsWith("In the last day 2 INSERTs of default wrote to it, the last one at ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_somebody_else_has_detached_stays_so()
    {
        await using var c = await FedAsync();
        await c.RunAsync(Sorted(c), () => c.SqlAsync("DETACH TABLE @queue SYNC"));
        (await FlowsAsync(c)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_feed_that_is_held_for_too_long_goes_on_and_it_is_tried_again()
    {
        await using var c = await FedAsync();
        await c.SqlAsync("CREATE TABLE @slow (a UInt64) ENGINE = MergeTree ORDER BY tuple()", "INSERT INTO @slow SELECT number FROM numbers(580)");
        Task? alter = null;

        // Somebody's ALTER, which a round waits for, comes just when the feed has been held.
        using var network = new Meddler("DETACH TABLE", async () =>
        {
            alter = c.Gateway.ExecuteAsync(
                $"ALTER TABLE {c.Database}.slow UPDATE a = a + sleepEachRow(0.005) WHERE 1 SETTINGS mutations_sync = 1, allow_nondeterministic_mutations = 1, validate_mutation_query = 0",
                new QueryOptions { Timeout = Timeout.InfiniteTimeSpan },
                RebuildCase.Ct);
            await Wait.UntilAsync(() => c.AskAsync<bool>("SELECT count() > 0 FROM system.processes WHERE query_kind = 'Alter'"), RebuildCase.Ct);
        });
        using var gateway = real.Engine.Gateway(network);
        var migrator = new Migrator(gateway, c.Store);
        var options = new RunOptions { PauseBudget = TimeSpan.FromSeconds(1) };
        var run = await migrator.CreateRunAsync((await c.ProposeAsync(Sorted(c), options)).Plan!, options, RebuildCase.Ct);

        var status = await migrator.RunAsync(run, ct: RebuildCase.Ct);

        status.State.ShouldBe(RunState.Completed, status.Problem);
        await alter!;
        var journal = (await c.Store.GetJournalAsync(run, RebuildCase.Ct)).Where(e => e.Name is "hold" or "release" or "exchange").Select(e => $"{e.Kind} {e.Name}").ToList();
        journal.Count(e => e == "Outcome hold").ShouldBeGreaterThan(1);
        journal.Count(e => e == "Outcome release").ShouldBe(journal.Count(e => e == "Outcome hold"));
        journal[^3..].ShouldBe(["Outcome exchange", "Intent release", "Outcome release"]);
        (await FlowsAsync(c)).ShouldBeTrue();
    }

    private static RebuildRequest Sorted(RebuildCase c) => new() { Table = c.Table, OrderBy = "(day, id)", Accept = KafkaFeed.NoBroker };

    private static async Task<bool> FlowsAsync(RebuildCase c) =>
        await c.AskAsync<long>("SELECT count() FROM system.tables WHERE database = '{db}' AND name IN ('queue', 'mv')".Replace("{db}", c.Database, StringComparison.Ordinal)) == 2;

    private static async Task<IReadOnlyList<string>> ReasonsAsync(RebuildCase c)
    {
        await c.SqlAsync("SYSTEM FLUSH LOGS");
        return (await c.ProposeAsync(Sorted(c))).Plan!.Reasons;
    }

    private async Task<RebuildCase> FedAsync()
    {
        var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(Plain, Rows, Queue, "CREATE MATERIALIZED VIEW @mv TO @t AS SELECT * FROM @queue");
        return c;
    }

    private sealed record Chain(IReadOnlyList<string> Statements, IReadOnlyList<string> Sources, IReadOnlyList<string> Upstream);
}
