using Godwit.ClickHouse;

namespace Godwit.Inspection;

/// <summary>Which tables are listed.</summary>
public sealed record TableFilter
{
    /// <summary>A part of the name <c>database.table</c>, in any case; null for all.</summary>
    public string? Search { get; init; }

    /// <summary>Whether views are listed too.</summary>
    public bool Views { get; init; }
}

/// <summary>A stretch of the list of tables, the largest first.</summary>
/// <param name="Tables">The tables of this page.</param>
/// <param name="Total">How many there are on all pages.</param>
/// <param name="Bytes">Bytes on disk of the tables of all pages.</param>
public sealed record TablePage(IReadOnlyList<TableOverview> Tables, int Total, long Bytes);

/// <summary>A table in the list.</summary>
/// <param name="Table">Its name.</param>
/// <param name="Engine">Its engine.</param>
public sealed record TableOverview(QualifiedName Table, string Engine)
{
    /// <summary>Rows of its active parts; of an engine without parts what the engine says, null when that says nothing.</summary>
    public long? Rows { get; init; }

    /// <summary>Bytes on disk, or in memory for an engine that keeps its rows there; null as the rows are.</summary>
    public long? Bytes { get; init; }

    /// <summary>Bytes before compression; null for engines without parts.</summary>
    public long? UncompressedBytes { get; init; }

    /// <summary>Active parts.</summary>
    public long Parts { get; init; }

    /// <summary>Partitions.</summary>
    public long Partitions { get; init; }

    /// <summary>Mutations that are not done.</summary>
    public long UnfinishedMutations { get; init; }

    /// <summary>Merges under way.</summary>
    public long RunningMerges { get; init; }

    /// <summary>Whether Godwit rebuilds tables of this engine.</summary>
    public bool CanBeRebuilt { get; init; }
}
