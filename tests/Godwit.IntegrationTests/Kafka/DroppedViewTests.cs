using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata.Sqlite;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Kafka;

/// <summary>A migration that drops a view which Kafka writes through, or a rollback that does, has waited for what was being written through it.</summary>
public sealed class DroppedViewTests(RealKafka kafka, RealEngine real) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("godwit-view-");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nothing_arrives_any_more_when_the_view_is_dropped(bool inRollback)
    {
        await using var feed = await KafkaFeed.CreateAsync(await kafka.BrokerAsync(), real.Engine, settings: "kafka_flush_interval_ms = 2000", hasView: !inRollback);
        await using var producer = KafkaProducer.Start(feed.Broker, feed.Topic);
        await using var store = await SqliteStore.OpenAsync(Path.Combine(_folder.FullName, "state.db"), ct: Ct);
        var name = new QualifiedName(feed.Database, "feed");
        var migration = new View(inRollback
            ? [new CreateOperation($"CREATE MATERIALIZED VIEW {name.ToSql()} TO {feed.Database}.events AS SELECT id, uuid FROM {feed.Database}.queue")]
            : [new DropOperation(name)]);
        var migrator = new Migrator(feed.Gateway, store, new MigratorOptions { Migrations = new MigrationSet([migration]) });
        async Task<RunStatus> RunAsync() => await migrator.RunAsync(await migrator.CreateRunAsync((await migrator.ProposeAsync(new MigrationRequest("view"), new RunOptions(), Ct)).Plan!, new RunOptions(), Ct), ct: Ct);
        var run = inRollback ? await RunAsync() : null;
        await Wait.UntilAsync(async () => await feed.RowsAsync() > 0 && (await feed.ConsumersAsync()).Any(c => c.IsBusy), Ct);

        run = inRollback ? await migrator.RollbackAsync(run!.RunId, ct: Ct) : await RunAsync();

        run.State.ShouldBe(inRollback ? RunState.RolledBack : RunState.Completed, run.Problem);
        var rows = await feed.RowsAsync();
        var written = producer.Acknowledged.Count;
        await Wait.UntilAsync(() => producer.Acknowledged.Count > written + 500, Ct);
        (await feed.RowsAsync()).ShouldBe(rows);
        (await feed.LagAsync()).Partitions.Sum(p => p.Committed).ShouldBe(rows);
    }

    private sealed class View(IReadOnlyList<Operation> operations) : Migration
    {
        public override string Name => "view";

        public override string Description => "For a test";

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Task.FromResult(operations);
    }
}
