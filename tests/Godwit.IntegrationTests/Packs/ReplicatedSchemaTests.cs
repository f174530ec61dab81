using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.IntegrationTests.Kafka;
using Godwit.Migrations;
using Godwit.Pack.PostHog;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>Two old servers and their keeper, for all tests here.</summary>
public sealed class Replicated : IAsyncLifetime
{
    public ReplicatedFixture Servers { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Servers = await ReplicatedFixture.StartAsync();

    public ValueTask DisposeAsync() => Servers.DisposeAsync();
}

/// <summary>0004, on the oldest server that Godwit works with and a real keeper: tables become replicated ones, and rows stay where they are.</summary>
public sealed class ReplicatedSchemaTests(Replicated fixture) : IClassFixture<Replicated>
{
    private static readonly string[] World =
    [
        .. PackCase.Schema("old-2018"),
        "INSERT INTO posthog.events (uuid, event, properties, timestamp, team_id, distinct_id) SELECT toString(number), 'click', '{\"$session_id\":\"s1\"}', toDateTime('2021-01-01 00:00:00') + number * 86400, 1, 'd' FROM numbers(100)",
        "INSERT INTO posthog.person (id, team_id, properties) SELECT toString(number), 1, 'p' FROM numbers(10)",
        "INSERT INTO posthog.cohortpeople (person_id, cohort_id, team_id, sign) VALUES ('1', 1, 1, 1)",
    ];

    private ClickHouseGateway First => fixture.Servers.First;

    [Fact]
    public async Task Tables_are_replicated_with_their_rows_and_views_write_to_where_rows_belong()
    {
        await using var c = await PackCase.NewAsync(First, World);
        var before = await c.Knows(new MigratorOptions { Migrations = MigrationLoader.Load(MigrationPack.Find("posthog")) }).MigrationsAsync(PackCase.Ct);
        before.Single(m => m.Name == "0004_replicated_schema").ShouldSatisfyAllConditions(m => m.State.ShouldBe(RunState.NotStarted), m => m.Why.ShouldBe("posthog.events is not Distributed, and this server has a keeper."));

        var run = await c.RunAsync(new ReplicatedSchema());

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await EngineAsync(c, "events")).ShouldStartWith("Distributed('posthog', 'posthog', 'sharded_events', sipHash64(distinct_id))");
        (await EngineAsync(c, "writable_events")).ShouldStartWith("Distributed");
        (await EngineAsync(c, "sharded_events")).ShouldStartWith("ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/posthog.events_");
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM system.tables WHERE database = 'posthog' AND engine LIKE 'Replicated%'")).ShouldBe(9);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM posthog.events WHERE `$session_id` = 's1'")).ShouldBe(100);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM posthog.events_backup_0004_replicated_schema")).ShouldBe(100);

        // What Kafka brings now reaches the replicated tables, also over those that spread it.
        await c.SqlAsync("INSERT INTO posthog.kafka_events (uuid, event, timestamp, team_id, distinct_id) VALUES ('new', 'click', '2021-05-05 00:00:00', 1, 'd')", "INSERT INTO posthog.kafka_person (id, team_id) VALUES ('new', 1)");
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM posthog.sharded_events")).ShouldBe(101);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM posthog.person")).ShouldBe(11);
    }

    [Fact]
    public async Task Merges_that_fold_rows_stand_still_from_the_links_to_the_names_and_go_on_after_that()
    {
        using var network = new Meddler("ALTER TABLE", () => Should.ThrowAsync<ClickHouseException>(First.ExecuteAsync("OPTIMIZE TABLE posthog.person FINAL", ct: PackCase.Ct)));
        using var gateway = fixture.Servers.FirstServer.Gateway(network);
        await using var c = await PackCase.NewAsync(gateway, [.. World, .. Enumerable.Repeat("INSERT INTO posthog.person (id, team_id, properties) SELECT toString(number), 1, 'p' FROM numbers(10)", 5)]);
        await First.ExecuteAsync("SYSTEM STOP MERGES posthog.person", ct: PackCase.Ct);

        var run = await c.RunAsync(new ReplicatedSchema());

        run.State.ShouldBe(RunState.Completed, run.Problem);
        await First.ExecuteAsync("OPTIMIZE TABLE posthog.person FINAL", ct: PackCase.Ct);
        await First.ExecuteAsync("OPTIMIZE TABLE posthog.person_backup_0004_replicated_schema FINAL", ct: PackCase.Ct);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM posthog.person")).ShouldBe(10);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM posthog.person_backup_0004_replicated_schema")).ShouldBe(10);
    }

    [Fact]
    public async Task A_second_replica_gets_the_rows()
    {
        await using var c = await PackCase.NewAsync(First, World);
        (await c.RunAsync(new ReplicatedSchema())).State.ShouldBe(RunState.Completed);
        var ddl = await c.AskAsync<string>("SELECT create_table_query FROM system.tables WHERE database = 'posthog' AND name = 'sharded_events'");

        await fixture.Servers.Second.ExecuteAsync("DROP DATABASE IF EXISTS posthog", ct: PackCase.Ct);
        await fixture.Servers.Second.ExecuteAsync("CREATE DATABASE posthog", ct: PackCase.Ct);
        await fixture.Servers.Second.ExecuteAsync(ddl, ct: PackCase.Ct);

        await Wait.UntilAsync(async () => await fixture.Servers.Second.ScalarAsync<long>("SELECT toInt64(count()) FROM posthog.sharded_events", ct: PackCase.Ct) == 100, PackCase.Ct);
    }

    [Fact]
    public async Task A_failure_at_the_end_is_rolled_back_and_it_can_be_run_again()
    {
        await using var c = await PackCase.NewAsync(First, World);
        await c.FailAndRollBackAsync(new ReplicatedSchema());

        var run = await c.RunAsync(new ReplicatedSchema());

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM posthog.events")).ShouldBe(100);
    }

    [Fact]
    public async Task Rows_that_came_since_are_not_lost_by_a_rollback()
    {
        await using var c = await PackCase.NewAsync(First, World);
        var run = await c.RunAsync(new ReplicatedSchema());
        await c.SqlAsync("INSERT INTO posthog.person (id, team_id) VALUES ('new', 1)");

        var refused = await c.RollbackAsync(new ReplicatedSchema(), run.RunId);

        refused.State.ShouldBe(RunState.Failed);
        refused.Problem!.ShouldContain("posthog.person_tmp_0004_replicated_schema");
        refused.Problem!.ShouldContain("that came after it was linked");
        await c.SqlAsync("INSERT INTO posthog.person SELECT * FROM posthog.person_tmp_0004_replicated_schema WHERE id = 'new'", "ALTER TABLE posthog.person_tmp_0004_replicated_schema DROP PARTITION tuple()");
        (await c.RollbackAsync(new ReplicatedSchema(), run.RunId)).State.ShouldBe(RunState.RolledBack);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM posthog.person")).ShouldBe(11);
    }

    [Fact]
    public async Task What_is_sharded_already_or_cannot_be_replicated_needs_nothing()
    {
        await using var c = await PackCase.NewAsync(First, World);
        (await c.RunAsync(new ReplicatedSchema())).State.ShouldBe(RunState.Completed);

        (await c.RefusalAsync(new ReplicatedSchema())).ShouldContain("was completed by run");
        await using var other = await PackCase.NewAsync(First, World.Where(s => !s.Contains("events_mv", StringComparison.Ordinal)));
        await other.SqlAsync("RENAME TABLE posthog.events TO posthog.sharded_events", "CREATE TABLE posthog.events AS posthog.sharded_events ENGINE = Distributed('posthog', 'posthog', 'sharded_events', sipHash64(distinct_id))");
        (await other.RefusalAsync(new ReplicatedSchema())).ShouldContain("posthog.events is Distributed already");
    }

    [Fact]
    public async Task A_cluster_that_is_not_known_and_names_that_are_taken_are_told()
    {
        await using var c = await PackCase.NewAsync(First, [.. World, "CREATE TABLE posthog.writable_events (a UInt8) ENGINE = Memory"]);

        var refusal = await c.RefusalAsync(new ReplicatedSchema(), ("cluster", "nothing"));

        refusal.ShouldContain("knows no cluster nothing");
        refusal.ShouldContain("posthog.writable_events is there already");
    }

    [Fact]
    public async Task A_new_sharded_installation_needs_none_of_the_pack()
    {
        await using var c = await PackCase.NewAsync(First, [.. PackCase.Schema("old-2018").Where(s => !s.Contains("posthog.events", StringComparison.Ordinal) && !s.Contains("person_distinct_id2", StringComparison.Ordinal) && !s.Contains("posthog.person ", StringComparison.Ordinal))]);
        await c.SqlAsync(
            "CREATE TABLE posthog.sharded_events (uuid String, event String, properties String, timestamp DateTime, team_id Int64, distinct_id String, elements_chain String, kafka_timestamp_minmax_sharded_events UInt8) ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp) ORDER BY team_id",
            "CREATE TABLE posthog.events AS posthog.sharded_events ENGINE = Distributed('posthog', 'posthog', 'sharded_events', sipHash64(distinct_id))",
            "CREATE TABLE posthog.person (id String, team_id Int64, version UInt64) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/posthog.person_fresh', '{replica}', version) ORDER BY (team_id, id)");

        var list = await c.Knows(new MigratorOptions { Migrations = MigrationLoader.Load(MigrationPack.Find("posthog")) }).MigrationsAsync(PackCase.Ct);

        list.ShouldAllBe(m => m.State == RunState.NotRequired, string.Join('\n', list.Select(m => $"{m.Name} {m.State} {m.Why}")));
    }

    private static Task<string> EngineAsync(PackCase c, string table) => c.AskAsync<string>($"SELECT engine_full FROM system.tables WHERE database = 'posthog' AND name = '{table}'");
}
