using System.Text.Json;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Inspection;
using Godwit.Metadata.Sqlite;
using Godwit.Plans;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Inspection;

/// <summary>How the nodes are.</summary>
public sealed class NodeStatusTests(RealEngine real)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_that_is_alone_is_one_node_with_all_its_figures()
    {
        await using var c = await Rebuild.RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(
            $"CREATE TABLE {c.Table.ToSql()} (p UInt8, id UInt64) ENGINE = MergeTree PARTITION BY p ORDER BY id SETTINGS max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1",
            $"INSERT INTO {c.Table.ToSql()} SELECT number = 0, number FROM numbers(40) SETTINGS max_block_size = 1, min_insert_block_size_rows = 1, min_insert_block_size_bytes = 1, max_insert_threads = 1");

        var node = (await c.Migrator.NodesAsync(Ct)).ShouldHaveSingleItem();

        node.Name.ShouldBe(c.Gateway.Name);
        (node.Answers, node.Problem, node.Shard, node.Replica, node.ReplicationDelaySeconds).ShouldBe((true, null, null, null, null));
        node.Notes.ShouldBeEmpty();
        node.Version!.ShouldStartWith("26.");
        node.UptimeSeconds!.Value.ShouldBeGreaterThanOrEqualTo(0);
        node.MemoryUsed!.Value.ShouldBeGreaterThan(0);
        node.MemoryLimit!.Value.ShouldBeGreaterThan(node.MemoryUsed.Value);
        (node.Merges, node.Queries, node.WaitingMutations).ShouldSatisfyAllConditions(f => f.Merges.ShouldNotBeNull(), f => f.Queries.ShouldNotBeNull(), f => f.WaitingMutations.ShouldNotBeNull());
        var disk = node.Disks.First(d => d.Name == "default");
        disk.Path.ShouldStartWith(real.Engine.Folder);
        disk.Free.ShouldBeInRange(1, disk.Total);
        node.MostParts!.Parts.ShouldBeGreaterThanOrEqualTo(39);
        node.MostParts.Limit.ShouldBe(3000);
        JsonSerializer.Serialize(node, PlanFormat.Json).ShouldContain("\"uptimeSeconds\":");
    }

    [Fact]
    public async Task A_node_that_is_away_is_an_entry_with_the_sentence()
    {
        var engines = await EngineFixture.StartClusterAsync("pair", 2);
        try
        {
            var names = engines.Select(e => $"{e.Url.Host}:{e.Url.Port}").ToList();
            await engines[1].KillAsync();
            var folder = Directory.CreateTempSubdirectory("godwit-nodes-");
            await using var store = await SqliteStore.OpenAsync(Path.Combine(folder.FullName, "state.db"), ct: Ct);
            using var gateway = engines[0].Gateway();
            var migrator = new Migrator(gateway, store, new MigratorOptions { Cluster = new ClusterOptions("pair") { Nodes = names } });

            var nodes = await migrator.NodesAsync(Ct);

            nodes.Count.ShouldBe(2);
            (nodes[0].Name, nodes[0].Shard, nodes[0].Replica, nodes[0].Answers, nodes[0].Problem).ShouldBe((names[0], 1, 1, true, null));
            (nodes[1].Name, nodes[1].Shard, nodes[1].Answers, nodes[1].Version).ShouldBe((names[1], null, false, null));
            nodes[1].Problem!.ShouldStartWith($"{names[1]} cannot be reached");
        }
        finally
        {
            foreach (var engine in engines)
            {
                await engine.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task A_server_that_is_away_and_a_cluster_that_is_not_known_are_entries_too()
    {
        using var away = new ClickHouseGateway(new ClickHouseOptions { Url = new Uri("http://127.0.0.1:9/") });
        using var gateway = real.Engine.Gateway();

        var unreachable = (await Read(away, new ClusterOptions("pair"))).ShouldHaveSingleItem();
        var unknown = (await Read(gateway, new ClusterOptions("no'such"))).ShouldHaveSingleItem();

        (unreachable.Answers, unreachable.Name).ShouldBe((false, "127.0.0.1:9"));
        unreachable.Problem!.ShouldContain("cannot be reached");
        unknown.Answers.ShouldBeTrue();
        unknown.Problem!.ShouldContain("knows no cluster no'such");
    }

    private static Task<IReadOnlyList<NodeStatus>> Read(ClickHouseGateway gateway, ClusterOptions cluster) => new NodeReader(gateway, new ClusterMap(gateway, cluster), cluster).ReadAsync(Ct);
}
