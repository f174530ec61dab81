namespace Godwit.Inspection;

/// <summary>A node as it is now. What it cannot tell is null, and <see cref="Notes"/> says why when it should have been able to.</summary>
/// <param name="Name">host:port of its HTTP interface.</param>
public sealed record NodeStatus(string Name)
{
    /// <summary>Its shard, from 1; null for a server that is alone, and for a node that is away and was named by hand.</summary>
    public int? Shard { get; init; }

    /// <summary>Its replica within the shard, from 1; null as the shard is.</summary>
    public int? Replica { get; init; }

    /// <summary>Whether it answers.</summary>
    public bool Answers { get; init; }

    /// <summary>Why it does not answer, or what is wrong with its place in the cluster, as a sentence.</summary>
    public string? Problem { get; init; }

    /// <summary>Its version.</summary>
    public string? Version { get; init; }

    /// <summary>Seconds since it was started.</summary>
    public long? UptimeSeconds { get; init; }

    /// <summary>Bytes of memory that its queries and merges hold.</summary>
    public long? MemoryUsed { get; init; }

    /// <summary>Bytes of memory that it allows itself; null when it has no limit or does not tell.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>Its disks; empty when it has no system.disks (18.16).</summary>
    public IReadOnlyList<DiskSpace> Disks { get; init; } = [];

    /// <summary>Merges and mutations of parts under way.</summary>
    public long? Merges { get; init; }

    /// <summary>Queries under way, without those of this look.</summary>
    public long? Queries { get; init; }

    /// <summary>Mutations that are not done.</summary>
    public long? WaitingMutations { get; init; }

    /// <summary>How many seconds its most delayed replicated table lags; null when it has none.</summary>
    public long? ReplicationDelaySeconds { get; init; }

    /// <summary>The partition with the most parts; null when there is none.</summary>
    public PartitionLoad? MostParts { get; init; }

    /// <summary>What could not be read, one sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>A disk of a node.</summary>
/// <param name="Name">Its name in the configuration.</param>
/// <param name="Path">Where it is.</param>
/// <param name="Free">Free bytes.</param>
/// <param name="Total">Bytes in all.</param>
public sealed record DiskSpace(string Name, string Path, long Free, long Total);

/// <summary>How near a partition is to where the server refuses inserts.</summary>
/// <param name="Table">The table, as a person reads it.</param>
/// <param name="Partition">The partition's value.</param>
/// <param name="Parts">Its active parts.</param>
/// <param name="Limit">From how many on the server refuses inserts (parts_to_throw_insert); the table may have a limit of its own.</param>
public sealed record PartitionLoad(string Table, string Partition, long Parts, long Limit);
