using Godwit.ClickHouse;

namespace Godwit.Rebuild;

/// <summary>A column as the server describes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="DefaultKind">Empty, DEFAULT, MATERIALIZED, ALIAS or EPHEMERAL.</param>
/// <param name="DefaultExpression">The expression that goes with the kind.</param>
public sealed record TableColumn(string Name, string Type, string DefaultKind, string DefaultExpression)
{
    /// <summary>Whether the table keeps its values on disk.</summary>
    public bool IsStored => DefaultKind is "" or "DEFAULT" or "MATERIALIZED";
}

/// <summary>A partition of a table: its active parts added up.</summary>
/// <param name="Id">The partition id, as it stands in part names.</param>
/// <param name="Value">The partition's value as a person reads it.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Bytes">Bytes on disk.</param>
/// <param name="UncompressedBytes">Bytes before compression.</param>
/// <param name="Parts">Active parts.</param>
public sealed record TablePartition(string Id, string Value, long Rows, long Bytes, long UncompressedBytes, int Parts);

/// <summary>A table as it is on the server at one moment.</summary>
public sealed record TableSnapshot
{
    /// <summary>Its name.</summary>
    public required QualifiedName Name { get; init; }

    /// <summary>Its UUID; what a name stands for may change, this does not.</summary>
    public required Guid Uuid { get; init; }

    /// <summary>The engine's name alone.</summary>
    public required string EngineName { get; init; }

    /// <summary>The engine of its database.</summary>
    public required string DatabaseEngine { get; init; }

    /// <summary>The storage policy.</summary>
    public required string StoragePolicy { get; init; }

    /// <summary>The sorting key's expressions.</summary>
    public required string SortingKey { get; init; }

    /// <summary>The partition key's expressions; empty when there is none.</summary>
    public required string PartitionKey { get; init; }

    /// <summary>Its definition, as the server formats it.</summary>
    public required TableDefinition Definition { get; init; }

    /// <summary>Its columns in order.</summary>
    public required IReadOnlyList<TableColumn> Columns { get; init; }

    /// <summary>Its partitions, the oldest id first.</summary>
    public required IReadOnlyList<TablePartition> Partitions { get; init; }

    /// <summary>Rows of all partitions.</summary>
    public long Rows => Partitions.Sum(p => p.Rows);

    /// <summary>Bytes on disk of all partitions.</summary>
    public long Bytes => Partitions.Sum(p => p.Bytes);

    /// <summary>The engine with its arguments.</summary>
    public TableEngine Engine => TableEngine.Parse(Definition.Engine);
}
