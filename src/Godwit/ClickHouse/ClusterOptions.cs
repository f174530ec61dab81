namespace Godwit.ClickHouse;

/// <summary>The cluster that the given server belongs to. All its nodes are reached with the same scheme, user and password.</summary>
/// <param name="Name">Its name in system.clusters.</param>
public sealed record ClusterOptions(string Name)
{
    /// <summary>
    /// The HTTP interfaces of its nodes, as host:port, in any order; which shard and replica each is, the node itself says. Empty takes the hosts
    /// of system.clusters with the port of the given server.
    /// </summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];
}

/// <summary>Where something is to be done.</summary>
public enum NodeScope
{
    /// <summary>On the given server.</summary>
    One,

    /// <summary>On one replica of each shard: replication brings it to the others.</summary>
    EachShard,

    /// <summary>On every replica of every shard.</summary>
    EveryNode,
}

/// <summary>A node and its place.</summary>
/// <param name="Name">host:port of its HTTP interface.</param>
/// <param name="Shard">Its shard, from 1.</param>
/// <param name="Replica">Its replica within the shard, from 1.</param>
public sealed record ClusterNode(string Name, int Shard, int Replica);
