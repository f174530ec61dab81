using System.Globalization;

namespace Godwit.ClickHouse;

/// <summary>Finds the nodes of a cluster. Every node is asked for its own place, so that a wrong list is noticed before anything is done.</summary>
/// <param name="given">The server that Godwit was given.</param>
/// <param name="cluster">Its cluster; null for a server that is alone.</param>
internal sealed class ClusterMap(ClickHouseGateway given, ClusterOptions? cluster)
{
    private IReadOnlyList<(ClusterNode Node, ClickHouseException? Away)>? _nodes;

    /// <summary>The nodes of a scope, by shard and replica. Of each shard the first replica that answers.</summary>
    /// <exception cref="ClusterException">The cluster is not known, a node is missing or in another cluster, or one that is needed does not answer.</exception>
    public async Task<IReadOnlyList<string>> NodesAsync(NodeScope scope, CancellationToken ct)
    {
        if (scope == NodeScope.One || cluster is null)
        {
            return [given.Name];
        }

        _nodes ??= await ReadAsync(cluster, ct);
        return scope == NodeScope.EveryNode
            ? _nodes.Select(n => n.Away is null ? n.Node.Name : throw Away([n])).ToList()
            : _nodes.GroupBy(n => n.Node.Shard).Select(shard => shard.FirstOrDefault(n => n.Away is null).Node?.Name ?? throw Away([.. shard])).ToList();
    }

    /// <summary>Where the nodes are to be found, without asking them. The place is null when only the node itself can say it.</summary>
    /// <exception cref="ClusterException">The cluster is not known.</exception>
    public async Task<IReadOnlyList<(string Name, int? Shard, int? Replica)>> AddressesAsync(QueryOptions? options, CancellationToken ct) => cluster switch
    {
        null => [(given.Name, null, null)],
        { Nodes: { Count: > 0 } named } => named.Select(n => (n, (int?)null, (int?)null)).ToList(),
        _ => (await PlacesAsync(cluster, options, ct)).Select(p => (Address(p.Host), (int?)p.Shard, (int?)p.Replica)).ToList(),
    };

    private static ClusterException Away(IReadOnlyList<(ClusterNode Node, ClickHouseException? Away)> nodes) =>
        new($"{string.Join(", ", nodes.Select(n => n.Node.Name))} must take part and does not answer: {nodes[0].Away!.Message} Start it, or try again later.");

    private async Task<IReadOnlyList<(ClusterNode, ClickHouseException?)>> ReadAsync(ClusterOptions options, CancellationToken ct)
    {
        var places = await PlacesAsync(options, null, ct);

        // A node that is away cannot say where it is: when the hosts are the cluster's own, its row does.
        var asked = options.Nodes.Count > 0
            ? await Task.WhenAll(options.Nodes.Select(name => AskAsync(name, null, options, ct)))
            : await Task.WhenAll(places.Select(p => AskAsync(Address(p.Host), (p.Shard, p.Replica), options, ct)));
        Require(options, places.Select(p => (p.Shard, p.Replica)).ToList(), asked);
        return asked.OrderBy(a => (a.Node.Shard, a.Node.Replica)).ToList();
    }

    private async Task<IReadOnlyList<(int Shard, int Replica, string Host)>> PlacesAsync(ClusterOptions cluster, QueryOptions? options, CancellationToken ct)
    {
        var places = (await given.QueryAsync(
            $"SELECT shard_num, replica_num, host_name FROM system.clusters WHERE cluster = {Sql.Literal(cluster.Name)} ORDER BY shard_num, replica_num", options, ct))
            .Select(r => (Shard: (int)r.Int64("shard_num"), Replica: (int)r.Int64("replica_num"), Host: r["host_name"])).ToList();
        return places.Count > 0
            ? places
            : throw new ClusterException($"{given.Name} knows no cluster {cluster.Name}; SELECT DISTINCT cluster FROM system.clusters shows those that it knows.");
    }

    private async Task<(ClusterNode Node, ClickHouseException? Away)> AskAsync(string name, (int Shard, int Replica)? expected, ClusterOptions options, CancellationToken ct)
    {
        try
        {
            var rows = await given.At(name).QueryAsync(
                $"SELECT shard_num, replica_num FROM system.clusters WHERE cluster = {Sql.Literal(options.Name)} AND is_local = 1", ct: ct);
            return rows is [var row]
                ? (new ClusterNode(name, (int)row.Int64("shard_num"), (int)row.Int64("replica_num")), null)
                : throw new ClusterException($"{name} does not find itself in its cluster {options.Name} ({rows.Count} rows of system.clusters are local): mend its remote_servers, or name other nodes.");
        }
        catch (ClickHouseException e) when (expected is { } place)
        {
            return (new ClusterNode(name, place.Shard, place.Replica), e);
        }
        catch (ClickHouseException e)
        {
            throw new ClusterException($"{name} does not say where in the cluster {options.Name} it is: {e.Message}", e);
        }
    }

    private static void Require(ClusterOptions options, List<(int Shard, int Replica)> places, IReadOnlyList<(ClusterNode Node, ClickHouseException? Away)> found)
    {
        var twice = found.GroupBy(f => (f.Node.Shard, f.Node.Replica)).FirstOrDefault(g => g.Count() > 1);
        if (twice is not null)
        {
            throw new ClusterException(
                $"{string.Join(" and ", twice.Select(f => f.Node.Name))} are both replica {twice.Key.Replica} of shard {twice.Key.Shard} of {options.Name}: name each node once.");
        }

        var missing = places.Except(found.Select(f => (f.Node.Shard, f.Node.Replica))).ToList();
        if (missing.Count > 0)
        {
            throw new ClusterException(
                $"No node was named for {string.Join(", ", missing.Select(m => string.Create(CultureInfo.InvariantCulture, $"shard {m.Shard} replica {m.Replica}")))} of the cluster {options.Name}: name every node.");
        }
    }

    private string Address(string host) => $"{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}{given.Name[given.Name.LastIndexOf(':')..]}";
}

/// <summary>The nodes of a cluster cannot be told.</summary>
/// <param name="message">What is wrong and what to do.</param>
/// <param name="inner">What a node said.</param>
public sealed class ClusterException(string message, Exception? inner = null) : Exception(message, inner);
