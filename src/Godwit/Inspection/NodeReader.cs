using Godwit.ClickHouse;

namespace Godwit.Inspection;

/// <summary>Asks every node how it is. All are asked at once and each is awaited; one that is away is an entry with the sentence.</summary>
internal sealed class NodeReader(ClickHouseGateway given, ClusterMap map, ClusterOptions? cluster)
{
    // A node that hangs must not hold up the page that shows the others.
    private static readonly QueryOptions Patient = new() { Timeout = TimeSpan.FromSeconds(10) };

    public async Task<IReadOnlyList<NodeStatus>> ReadAsync(CancellationToken ct)
    {
        IReadOnlyList<NodeStatus> nodes;
        try
        {
            nodes = (await map.AddressesAsync(Patient, ct)).Select(a => new NodeStatus(a.Name) { Shard = a.Shard, Replica = a.Replica }).ToList();
        }
        catch (Exception e) when (e is ClickHouseException or ClusterException)
        {
            return [await ReadAsync(new NodeStatus(given.Name), ct) with { Problem = $"The other nodes of the cluster are not known: {e.Message}" }];
        }

        return (await Task.WhenAll(nodes.Select(n => ReadAsync(n, ct)))).OrderBy(n => n.Shard ?? int.MaxValue).ThenBy(n => n.Replica ?? int.MaxValue).ThenBy(n => n.Name, StringComparer.Ordinal).ToList();
    }

    private async Task<NodeStatus> ReadAsync(NodeStatus node, CancellationToken ct)
    {
        var gateway = given.At(node.Name);
        try
        {
            var row = (await gateway.QueryAsync("SELECT version() AS version, toInt64(uptime()) AS up", Patient, ct))[0];
            node = node with { Answers = true, Version = row["version"], UptimeSeconds = row.Int64("up") };
            return await new Figures(gateway).AddAsync(await PlaceAsync(gateway, node, ct), ct);
        }
        catch (ClickHouseException e)
        {
            // It may also have gone away in the middle: what it said before is not what it is now.
            return new NodeStatus(node.Name) { Shard = node.Shard, Replica = node.Replica, Problem = e.Message };
        }
    }

    private async Task<NodeStatus> PlaceAsync(ClickHouseGateway gateway, NodeStatus node, CancellationToken ct)
    {
        if (cluster is null)
        {
            return node;
        }

        var rows = await gateway.QueryAsync($"SELECT shard_num, replica_num FROM system.clusters WHERE cluster = {Sql.Literal(cluster.Name)} AND is_local = 1", Patient, ct);
        return rows is [var row]
            ? node with { Shard = (int)row.Int64("shard_num"), Replica = (int)row.Int64("replica_num") }
            : node with { Problem = $"{node.Name} does not find itself in its cluster {cluster.Name} ({rows.Count} rows of system.clusters are local): mend its remote_servers, or name other nodes." };
    }

    /// <summary>The figures of one node. Each is read for itself: a right that is missing for one must not hide the others.</summary>
    private sealed class Figures(ClickHouseGateway gateway)
    {
        private readonly List<string> _notes = [];

        public async Task<NodeStatus> AddAsync(NodeStatus node, CancellationToken ct)
        {
            var known = await Known.ColumnsAsync(gateway, ["disks", "server_settings", "mutations", "replicas"], Patient, ct);
            var metrics = (await RowsAsync("metrics", "SELECT metric, value FROM system.metrics WHERE metric IN ('MemoryTracking', 'Merge', 'PartMutation', 'Query')", ct)).ToDictionary(r => r["metric"], r => r.Int64("value"), StringComparer.Ordinal);
            long? Metric(string name) => metrics.TryGetValue(name, out var value) ? value : null;
            return node with
            {
                MemoryUsed = Metric("MemoryTracking"),
                Merges = Metric("Merge") + (Metric("PartMutation") ?? 0),
                Queries = Metric("Query") is { } queries ? Math.Max(0, queries - 1) : null,
                MemoryLimit = known.Contains("server_settings.value") ? await LimitAsync(ct) : null,
                Disks = known.Contains("disks.name") ? await DisksAsync(ct) : [],
                WaitingMutations = known.Contains("mutations.is_done")
                    ? (await RowsAsync("mutations", "SELECT toInt64(count()) AS n FROM system.mutations WHERE NOT is_done", ct)).Select(r => (long?)r.Int64("n")).FirstOrDefault()
                    : null,
                ReplicationDelaySeconds = known.Contains("replicas.absolute_delay")
                    ? (await RowsAsync("replicas", "SELECT toInt64(max(absolute_delay)) AS delay, count() AS n FROM system.replicas", ct)).Where(r => r.Int64("n") > 0).Select(r => (long?)r.Int64("delay")).FirstOrDefault()
                    : null,
                MostParts = await MostPartsAsync(ct),
                Notes = _notes,
            };
        }

        private async Task<long?> LimitAsync(CancellationToken ct) =>
            (await RowsAsync("server_settings", "SELECT toInt64(value) AS bytes FROM system.server_settings WHERE name = 'max_server_memory_usage'", ct))
                .Select(r => r.Int64("bytes")).Where(b => b > 0).Select(b => (long?)b).FirstOrDefault();

        // Disks in object stores say that they have 2^64 bytes.
        private async Task<IReadOnlyList<DiskSpace>> DisksAsync(CancellationToken ct) =>
            (await RowsAsync("disks", "SELECT name, path, toInt64(least(free_space, 9000000000000000000)) AS free, toInt64(least(total_space, 9000000000000000000)) AS total FROM system.disks ORDER BY name", ct))
                .Select(r => new DiskSpace(r["name"], r["path"], r.Int64("free"), r.Int64("total"))).ToList();

        private async Task<PartitionLoad?> MostPartsAsync(CancellationToken ct) =>
            (await RowsAsync(
                "parts",
                """
                SELECT database, table, partition_id, any(partition) AS value, count() AS parts,
                    (SELECT toInt64(value) FROM system.merge_tree_settings WHERE name = 'parts_to_throw_insert') AS most
                FROM system.parts WHERE active GROUP BY database, table, partition_id ORDER BY parts DESC, database, table LIMIT 1
                """,
                ct)).Select(r => new PartitionLoad(new QualifiedName(r["database"], r["table"]).ToString(), r["value"], r.Int64("parts"), r.Int64("most"))).FirstOrDefault();

        private async Task<IReadOnlyList<Row>> RowsAsync(string table, string sql, CancellationToken ct)
        {
            try
            {
                return await gateway.QueryAsync(sql, Patient, ct);
            }
            catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
            {
                _notes.Add($"{gateway.Name} does not show its system.{table}: {e.ServerMessage}");
                return [];
            }
        }
    }
}
