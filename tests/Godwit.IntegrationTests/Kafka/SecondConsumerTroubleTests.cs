using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Kafka;

/// <summary>What stands in the way of a second consumer, or dies, or changes while it fills the new table.</summary>
public sealed class SecondConsumerTroubleTests(RealEngine real, RealKafka kafka) : SecondConsumerCase(real, kafka)
{
    [Fact]
    public async Task A_Distributed_table_over_other_servers_is_refused()
    {
        await using var feed = await SpreadAsync("pair");
        await using var store = await StoreAsync();
        var request = new RebuildRequest { Table = new QualifiedName(feed.Database, "events"), OrderBy = "(uuid, id)", Strategy = "second-consumer" };

        var refusal = (await new Migrator(feed.Gateway, store).ProposeAsync(request, new RunOptions(), Ct)).Checks.Single(c => c.Check == "second-consumer").Message;

        refusal.ShouldStartWith($"{feed.Database}.spread spreads rows over the cluster pair, and a second consumer fills the new table of this server only");
    }

    [Fact]
    public async Task When_the_Kafka_tables_may_not_change_hands_all_names_are_as_before_and_both_consumers_go_on()
    {
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        using var network = new Refuser($"EXCHANGE TABLES `{feed.Database}`.`queue`");
        using var gateway = Real.Engine.Gateway(network);
        var migrator = new Migrator(gateway, store);

        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed), ct: Ct);

        status.State.ShouldBe(RunState.Failed);
        status.Problem.ShouldNotBeNull().ShouldStartWith($"The names of {feed.Database}.queue and {feed.Database}.events_godwit_{status.RunId}_q cannot be exchanged: Not enough privileges.");
        (await feed.KeyAsync(Ct)).ShouldBe("id");
        await feed.GrowsAsync(Ct);
        await feed.GrowsAsync(Ct, $"events_godwit_{status.RunId}");
        network.IsMended = true;
        status = await migrator.ResumeAsync(status.RunId, ct: Ct);
        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await feed.KeyAsync(Ct)).ShouldBe("uuid, id");
        await feed.RequireExactAsync(producer, Ct);
    }

    [Fact]
    public async Task A_Kafka_table_that_is_made_anew_during_the_run_stops_it_before_the_cutover()
    {
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        using var network = new Meddler("INSERT INTO", async () =>
        {
            var create = await feed.Gateway.ScalarAsync<string>($"SELECT create_table_query FROM system.tables WHERE database = '{feed.Database}' AND name = 'queue'", ct: Ct);
            await feed.Gateway.ExecuteAsync($"DROP TABLE {feed.Database}.queue SYNC", ct: Ct);
            await feed.Gateway.ExecuteAsync(create, ct: Ct);
        });
        using var gateway = Real.Engine.Gateway(network);
        var migrator = new Migrator(gateway, store);

        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed), ct: Ct);

        status.State.ShouldBe(RunState.Failed);
        status.Problem.ShouldNotBeNull().ShouldStartWith($"{feed.Database}.queue was dropped or made anew since the second consumer was made like the first");
        status = await migrator.RollbackAsync(status.RunId, ct: Ct);
        status.State.ShouldBe(RunState.RolledBack, status.Problem);
        (await TablesAsync(feed)).ShouldBe("events feed queue");
        await feed.RequireAllAsync(producer, Ct);
    }

    [Theory]
    [InlineData("events")]
    [InlineData("queue")]
    public async Task A_view_that_came_after_the_plan_stops_the_cutover_and_a_rollback_until_it_is_detached(string over)
    {
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        var migrator = new Migrator(feed.Gateway, store);
        var run = await PlannedAsync(migrator, feed);
        await feed.Gateway.ExecuteAsync($"CREATE MATERIALIZED VIEW {feed.Database}.late ENGINE = MergeTree ORDER BY uuid AS SELECT uuid FROM {feed.Database}.{over}", ct: Ct);

        var status = await migrator.RunAsync(run, ct: Ct);

        status.State.ShouldBe(RunState.Failed);
        status.Problem.ShouldNotBeNull().ShouldStartWith($"The materialized view {feed.Database}.late came after the plan.");
        (await feed.KeyAsync(Ct)).ShouldBe("id");
        await feed.Gateway.ExecuteAsync($"DETACH TABLE {feed.Database}.late PERMANENTLY SYNC", ct: Ct);
        (await migrator.ResumeAsync(run, ct: Ct)).State.ShouldBe(RunState.Completed);
        await feed.Gateway.ExecuteAsync($"ATTACH TABLE {feed.Database}.late", ct: Ct);
        status = await migrator.RollbackAsync(run, ct: Ct);
        status.State.ShouldBe(RunState.Completed, "a rollback that had not begun leaves the run as it is");
        status.Problem.ShouldNotBeNull().ShouldContain($"The materialized view {feed.Database}.late came after the plan.");
        await feed.Gateway.ExecuteAsync($"DROP TABLE {feed.Database}.late SYNC", ct: Ct);
        (await migrator.RollbackAsync(run, ct: Ct)).State.ShouldBe(RunState.RolledBack);
        await feed.RequireExactAsync(producer, Ct);
    }

    [Fact]
    public async Task Every_message_is_there_when_the_broker_dies_in_the_middle_of_the_copy()
    {
        await using var broker = await KafkaFixture.StartAsync();
        await using var feed = await KafkaFeed.CreateAsync(broker, Real.Engine);
        await using var waker = KafkaWaker.Start(Real.Engine, feed.Database);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        using var network = new Meddler("INSERT INTO", broker.KillAsync);
        using var gateway = Real.Engine.Gateway(network);
        var migrator = new Migrator(gateway, store);

        var run = migrator.RunAsync(await PlannedAsync(migrator, feed), ct: Ct);
        await Wait.UntilAsync(async () => await BrakeAsync(migrator) is { } brake && brake.StartsWith("waiting for Kafka: ", StringComparison.Ordinal), Ct);
        await broker.StartAgainAsync();

        var status = await run;
        status.State.ShouldBe(RunState.Completed, status.Problem);
        await feed.RequireAllAsync(producer, Ct);
    }

    [Theory]
    [InlineData("INSERT INTO")]
    [InlineData("DROP TABLE `{db}`.`events_godwit_{run}_g`")]
    [InlineData("EXCHANGE TABLES `{db}`.`events`")]
    public async Task Every_message_is_there_when_the_server_dies(string statement)
    {
        await using var engine = await EngineFixture.StartAsync(configuration: KafkaFixture.ClickHouseConfiguration);
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        using var planner = engine.Gateway();
        var runId = await PlannedAsync(new Migrator(planner, store), feed);
        var isDead = false;
        using var network = new Meddler(statement.Replace("{db}", feed.Database, StringComparison.Ordinal).Replace("{run}", runId, StringComparison.Ordinal), async () =>
        {
            isDead = true;
            await engine.KillAsync();
            await engine.RestartAsync();
        });
        using var gateway = engine.Gateway(network);
        var migrator = new Migrator(gateway, store);

        var status = await migrator.RunAsync(runId, ct: Ct);
        status = status.State == RunState.Completed ? status : await migrator.ResumeAsync(status.RunId, ct: Ct);

        isDead.ShouldBeTrue();
        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await feed.KeyAsync(Ct)).ShouldBe("uuid, id");
        await feed.RequireAllAsync(producer, Ct);
    }

    [Fact]
    public async Task What_the_second_consumer_has_stored_twice_is_taken_out_before_the_cutover()
    {
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        using var planner = Real.Engine.Gateway();
        var runId = await PlannedAsync(new Migrator(planner, store), feed);
        using var network = new Meddler("INSERT INTO", async () =>
        {
            var staging = $"{feed.Database}.events_godwit_{runId}";
            await Wait.UntilAsync(async () => await feed.RowsAsync($"events_godwit_{runId}") > 100, Ct);
            await feed.Gateway.ExecuteAsync($"INSERT INTO {staging} SELECT * FROM {staging} ORDER BY id DESC LIMIT 50", ct: Ct);
        });
        using var gateway = Real.Engine.Gateway(network);
        var migrator = new Migrator(gateway, store);

        var status = await migrator.RunAsync(runId, ct: Ct);

        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await store.GetJournalAsync(runId, Ct)).ShouldContain(e => e.Name == "drop-doubled");
        await feed.RequireExactAsync(producer, Ct);
    }

    [Fact]
    public async Task Rows_that_only_the_new_table_has_stop_the_run_before_the_cutover()
    {
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        using var planner = Real.Engine.Gateway();
        var runId = await PlannedAsync(new Migrator(planner, store), feed);
        using var network = new Meddler("INSERT INTO", () => feed.Gateway.ExecuteAsync($"INSERT INTO {feed.Database}.events_godwit_{runId} SELECT number, generateUUIDv4() FROM numbers(7)", ct: Ct));
        using var gateway = Real.Engine.Gateway(network);
        var migrator = new Migrator(gateway, store);

        var status = await migrator.RunAsync(runId, ct: Ct);

        status.State.ShouldBe(RunState.Failed);
        status.Problem!.ShouldStartWith($"7 rows are in {feed.Database}.events_godwit_{runId} and not in {feed.Database}.events, although both consumers have read everything");
        (await migrator.RollbackAsync(runId, ct: Ct)).State.ShouldBe(RunState.RolledBack);
        await feed.RequireExactAsync(producer, Ct);
    }

    [Fact]
    public async Task Rows_of_the_old_table_that_change_in_place_stop_the_run_before_the_cutover()
    {
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await StoreAsync();
        using var network = new Meddler("ALTER TABLE `" + feed.Database + "`.`events_godwit_", () =>
            feed.Gateway.ExecuteAsync($"ALTER TABLE {feed.Database}.events DELETE WHERE id = 1 SETTINGS mutations_sync = 1", ct: Ct));
        using var gateway = Real.Engine.Gateway(network);
        var migrator = new Migrator(gateway, store);

        var status = await migrator.RunAsync(await PlannedAsync(migrator, feed), ct: Ct);

        status.State.ShouldBe(RunState.Failed);
        status.Problem!.ShouldStartWith($"Rows of {feed.Database}.events changed in place or vanished since they were copied");
    }

    [Fact]
    public async Task A_table_that_cannot_have_a_second_consumer_is_refused_with_all_that_stands_in_the_way()
    {
        await using var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine);
        await using var store = await StoreAsync();
        foreach (var statement in new[]
        {
            "CREATE TABLE {0}.other (id UInt64) ENGINE = Null", "CREATE MATERIALIZED VIEW {0}.also TO {0}.other AS SELECT id FROM {0}.queue", "CREATE MATERIALIZED VIEW {0}.after TO {0}.other AS SELECT id FROM {0}.events",
        })
        {
            await feed.Gateway.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, statement, feed.Database), ct: Ct);
        }

        var request = new RebuildRequest { Table = new QualifiedName(feed.Database, "events"), OrderBy = "uuid", Engine = "ReplacingMergeTree", Strategy = "second-consumer", Identity = "id, nothing" };
        var checks = (await new Migrator(feed.Gateway, store).ProposeAsync(request, new RunOptions(), Ct)).Checks;

        checks.Where(c => c.Check.StartsWith("kafka-", StringComparison.Ordinal)).ShouldBeEmpty("nothing would be held");
        var refusal = checks.Single(c => c.Check == "second-consumer").Message;
        refusal.ShouldSatisfyAllConditions(
            () => refusal.ShouldContain($"{feed.Database}.events has no column nothing that could tell a message from all others"),
            () => refusal.ShouldContain("ReplacingMergeTree makes one row of those that have the same (uuid)"),
            () => refusal.ShouldContain($"The materialized view {feed.Database}.after reads what is inserted into {feed.Database}.events"),
            () => refusal.ShouldContain($"{feed.Database}.queue feeds {feed.Database}.also, {feed.Database}.feed"),
            () => refusal.ShouldContain("Use --strategy pause-feed."));
        (await TablesAsync(feed)).ShouldBe("after also events feed other queue");
    }

    private static async Task<string?> BrakeAsync(Migrator migrator) => (await migrator.ListAsync(Ct))[0] is { } run ? (await migrator.StatusAsync(run.RunId, Ct)).Brake : null;
}
