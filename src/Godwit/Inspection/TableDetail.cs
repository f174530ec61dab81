using Godwit.ClickHouse;

namespace Godwit.Inspection;

/// <summary>A table as it is now. What an old server does not tell is null or empty.</summary>
/// <param name="Table">Its name.</param>
/// <param name="Engine">Its engine.</param>
/// <param name="Create">Its CREATE statement as the server writes it.</param>
public sealed record TableDetail(QualifiedName Table, string Engine, string Create)
{
    /// <summary>Whether Godwit rebuilds tables of this engine.</summary>
    public bool CanBeRebuilt { get; init; }

    /// <summary>The keys as expressions; empty where there is none.</summary>
    public required TableKeys Keys { get; init; }

    /// <summary>The table's TTL; null when there is none.</summary>
    public string? Ttl { get; init; }

    /// <summary>The settings that its CREATE statement names: name and value as SQL.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Its columns in order.</summary>
    public IReadOnlyList<ColumnDetail> Columns { get; init; } = [];

    /// <summary>Its partitions, the oldest id first.</summary>
    public IReadOnlyList<PartitionDetail> Partitions { get; init; } = [];

    /// <summary>Rows of all partitions.</summary>
    public long Rows => Partitions.Sum(p => p.Rows);

    /// <summary>Bytes on disk of all partitions.</summary>
    public long Bytes => Partitions.Sum(p => p.Bytes);

    /// <summary>Active parts of all partitions.</summary>
    public long Parts => Partitions.Sum(p => p.Parts);

    /// <summary>Its mutations, the unfinished first, then the newest; at most 100.</summary>
    public IReadOnlyList<MutationDetail> Mutations { get; init; } = [];

    /// <summary>Merges under way.</summary>
    public IReadOnlyList<MergeDetail> Merges { get; init; } = [];

    /// <summary>Materialized views that are fed by inserts into it.</summary>
    public IReadOnlyList<ViewLink> ViewsFrom { get; init; } = [];

    /// <summary>Materialized views that fill it.</summary>
    public IReadOnlyList<ViewLink> ViewsInto { get; init; } = [];
}

/// <summary>The keys of a table as expressions.</summary>
/// <param name="Sorting">ORDER BY.</param>
/// <param name="Primary">PRIMARY KEY.</param>
/// <param name="Partition">PARTITION BY.</param>
/// <param name="Sampling">SAMPLE BY.</param>
public sealed record TableKeys(string Sorting, string Primary, string Partition, string Sampling);

/// <summary>A column.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
public sealed record ColumnDetail(string Name, string Type)
{
    /// <summary>Its codec, such as <c>CODEC(ZSTD(1))</c>; empty for the table's default.</summary>
    public string Codec { get; init; } = "";

    /// <summary>Empty, DEFAULT, MATERIALIZED, ALIAS or EPHEMERAL.</summary>
    public string DefaultKind { get; init; } = "";

    /// <summary>The expression that goes with the kind.</summary>
    public string DefaultExpression { get; init; } = "";

    /// <summary>Its comment.</summary>
    public string Comment { get; init; } = "";

    /// <summary>Bytes on disk; 0 also for parts that keep their columns in one file.</summary>
    public long CompressedBytes { get; init; }

    /// <summary>Bytes before compression.</summary>
    public long UncompressedBytes { get; init; }

    /// <summary>Whether the sorting key needs it.</summary>
    public bool InSortingKey { get; init; }

    /// <summary>Whether the primary key needs it.</summary>
    public bool InPrimaryKey { get; init; }

    /// <summary>Whether the partition key needs it.</summary>
    public bool InPartitionKey { get; init; }
}

/// <summary>A partition: its active parts added up.</summary>
/// <param name="Id">The partition id, as it stands in part names.</param>
/// <param name="Value">The partition's value as a person reads it.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Bytes">Bytes on disk.</param>
/// <param name="UncompressedBytes">Bytes before compression.</param>
/// <param name="Parts">Active parts.</param>
public sealed record PartitionDetail(string Id, string Value, long Rows, long Bytes, long UncompressedBytes, long Parts)
{
    /// <summary>The least time in its rows, when the partition key has one.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>The greatest time in its rows, when the partition key has one.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>When its newest part was written.</summary>
    public DateTimeOffset Changed { get; init; }
}

/// <summary>A mutation.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Command">What it does.</param>
/// <param name="Created">When it was asked for.</param>
/// <param name="PartsToDo">Parts that it has yet to change.</param>
/// <param name="IsDone">Whether it is done.</param>
/// <param name="FailReason">Why it failed last; null when it did not or the server does not tell.</param>
public sealed record MutationDetail(string Id, string Command, DateTimeOffset Created, long PartsToDo, bool IsDone, string? FailReason);

/// <summary>A merge under way.</summary>
/// <param name="Partition">The id of its partition.</param>
/// <param name="Result">The part that it writes.</param>
/// <param name="Parts">How many parts it reads.</param>
/// <param name="Bytes">Bytes that it reads, compressed.</param>
/// <param name="Progress">From 0 to 1.</param>
/// <param name="ElapsedSeconds">How long it has taken so far.</param>
/// <param name="IsMutation">Whether a mutation changes one part; false also when the server does not tell.</param>
public sealed record MergeDetail(string Partition, string Result, long Parts, long Bytes, double Progress, double ElapsedSeconds, bool IsMutation);

/// <summary>A materialized view beside a table.</summary>
/// <param name="View">Its name.</param>
/// <param name="Target">The table that it fills; null when its definition does not tell.</param>
/// <param name="Create">Its CREATE statement.</param>
public sealed record ViewLink(QualifiedName View, QualifiedName? Target, string Create);
