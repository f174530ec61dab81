using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata.Sqlite;
using Godwit.Migrations;
using Godwit.Migrations.Yaml;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>A cluster of two shards for all tests here.</summary>
public sealed class TwoShards : IAsyncLifetime
{
    public const string Name = "pair";

    public IReadOnlyList<EngineFixture> Engines { get; private set; } = [];

    public IReadOnlyList<string> Nodes => Engines.Select(NodeOf).ToList();

    public static string NodeOf(EngineFixture engine) => $"{engine.Url.Host}:{engine.Url.Port}";

    public async ValueTask InitializeAsync() => Engines = await EngineFixture.StartClusterAsync(Name, 2);

    public async ValueTask DisposeAsync()
    {
        foreach (var engine in Engines)
        {
            await engine.DisposeAsync();
        }
    }
}

/// <summary>Operations are done on the nodes of their scope, each as a step of its own.</summary>
public sealed class NodesTests(TwoShards shards) : IClassFixture<TwoShards>, IAsyncLifetime
{
    private const string Yaml = """
        name: m
        description: For a test
        operations:
          - sql: CREATE TABLE app.t (id UInt64, n UInt64) ENGINE = MergeTree ORDER BY id
            scope: everyNode
            undo: DROP TABLE app.t SYNC
          - sql: INSERT INTO app.t SELECT number, 0 FROM numbers(10)
            scope: eachShard
            undo: []
          - mutate: app.t
            command: UPDATE n = n + 1 WHERE 1
            undo: UPDATE n = 0 WHERE 1
            scope: eachShard
          - create: CREATE VIEW app.v AS SELECT sum(n) AS s FROM app.t
            scope: everyNode
          - sql: INSERT INTO app.t VALUES (100, 100)
            undo: []
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await OnAllAsync("CREATE DATABASE app ENGINE = Atomic");

    public async ValueTask DisposeAsync() => await OnAllAsync("DROP DATABASE IF EXISTS app SYNC");

    [Fact]
    public async Task Every_node_is_a_step_with_its_own_outcome_and_undo()
    {
        await using var c = await ClusterCase.NewAsync(shards.Engines[0], new ClusterOptions(TwoShards.Name) { Nodes = shards.Nodes });

        var run = await MigrationCase.RunAsync(c.Migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        run.Steps.Select(s => s.Node).ShouldBe([.. shards.Nodes, .. shards.Nodes, .. shards.Nodes, .. shards.Nodes, shards.Nodes[0]]);
        (await AskAllAsync("SELECT toInt64(s) FROM app.v")).ShouldBe([110, 10]);
        (await c.Migrator.RollbackAsync(run.RunId, ct: Ct)).State.ShouldBe(RunState.RolledBack);
        (await AskAllAsync("SELECT toInt64(count()) FROM system.tables WHERE database = 'app'")).ShouldBe([0, 0]);
    }

    [Fact]
    public async Task A_node_that_refuses_is_named_and_the_others_are_not_done_again()
    {
        using (var second = shards.Engines[1].Gateway())
        {
            await second.ExecuteAsync("CREATE TABLE app.t (other UInt8) ENGINE = MergeTree ORDER BY other", ct: Ct);
        }

        await using var c = await ClusterCase.NewAsync(shards.Engines[0], new ClusterOptions(TwoShards.Name) { Nodes = shards.Nodes });

        var failed = await MigrationCase.RunAsync(c.Migrator, "m");

        failed.State.ShouldBe(RunState.Failed);
        failed.Problem!.ShouldStartWith(shards.Nodes[1]);
        using var again = shards.Engines[1].Gateway();
        await again.ExecuteAsync("DROP TABLE app.t SYNC", ct: Ct);
        var resumed = await c.Migrator.ResumeAsync(failed.RunId, ct: Ct);
        resumed.State.ShouldBe(RunState.Completed, resumed.Problem);
    }

    [Theory]
    [InlineData("nothing", 2, "knows no cluster nothing")]
    [InlineData(TwoShards.Name, 1, "No node was named for shard 2")]
    [InlineData(TwoShards.Name, 0, "both replica 1 of shard")]
    public async Task A_cluster_that_is_described_wrongly_is_refused_before_anything_is_done(string name, int nodes, string sentence)
    {
        // None are named: then both hosts of the cluster are reached at the given server's port, which is one and the same server here.
        await using var c = await ClusterCase.NewAsync(shards.Engines[0], new ClusterOptions(name) { Nodes = shards.Nodes.Take(nodes).ToList() });

        var proposal = await c.Migrator.ProposeAsync(new MigrationRequest("m"), new RunOptions(), Ct);

        proposal.Plan.ShouldBeNull();
        proposal.Checks.ShouldContain(x => x.Blocks && x.Message.Contains(sentence, StringComparison.Ordinal), string.Join(' ', proposal.Checks));
    }

    private async Task OnAllAsync(string sql)
    {
        foreach (var engine in shards.Engines)
        {
            using var gateway = engine.Gateway();
            await gateway.ExecuteAsync(sql, ct: CancellationToken.None);
        }
    }

    private async Task<long[]> AskAllAsync(string sql)
    {
        List<long> answers = [];
        foreach (var engine in shards.Engines)
        {
            using var gateway = engine.Gateway();
            answers.Add(await gateway.ScalarAsync<long>(sql, ct: Ct));
        }

        return [.. answers];
    }

    /// <summary>A state file of its own, and a migrator that knows the migration.</summary>
    private sealed class ClusterCase(Migrator migrator, ClickHouseGateway gateway, string folder, Godwit.Metadata.IStore store) : IAsyncDisposable
    {
        public Migrator Migrator => migrator;

        public static async Task<ClusterCase> NewAsync(EngineFixture engine, ClusterOptions cluster)
        {
            var (migration, problems) = YamlReader.Read("m.yaml", Yaml);
            problems.ShouldBeEmpty();
            var folder = Directory.CreateTempSubdirectory("godwit-case-").FullName;
            var (gateway, store) = (engine.Gateway(), await SqliteStore.OpenAsync(Path.Combine(folder, "state.db"), ct: Ct));
            var options = new MigratorOptions { Migrations = new MigrationSet([migration!]), Cluster = cluster };
            return new ClusterCase(new Migrator(gateway, store, options), gateway, folder, store);
        }

        public async ValueTask DisposeAsync()
        {
            gateway.Dispose();
            await store.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }
    }
}
