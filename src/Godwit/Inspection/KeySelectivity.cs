using Godwit.ClickHouse;

namespace Godwit.Inspection;

/// <summary>How well the present keys of a table, and other columns, tell its rows apart.</summary>
/// <param name="Table">The table.</param>
public sealed record KeySelectivity(QualifiedName Table)
{
    /// <summary>Why nothing can be said, as a sentence; null when it can.</summary>
    public string? Unavailable { get; init; }

    /// <summary>What the figures of the columns were counted on, such as <c>counted on 1,000,000 of 52,000,000 rows</c>.</summary>
    public string Basis { get; init; } = "";

    /// <summary>The sorting key's expressions in order, then the candidates.</summary>
    public IReadOnlyList<ColumnSelectivity> Columns { get; init; } = [];

    /// <summary>How much of the table the queries of the log read under the present key.</summary>
    public IReadOnlyList<QueryShare> Queries { get; init; } = [];

    /// <summary>Why there are no queries, as a sentence; null when the log could be read.</summary>
    public string? WorkloadUnavailable { get; init; }
}

/// <summary>How well an expression tells rows apart.</summary>
/// <param name="Expression">The column or expression.</param>
/// <param name="InSortingKey">Whether the present sorting key has it.</param>
/// <param name="Distinct">Different values among the rows that were counted, nearly.</param>
/// <param name="Rows">How many rows were counted.</param>
public sealed record ColumnSelectivity(string Expression, bool InSortingKey, long Distinct, long Rows);

/// <summary>How much of a table the server would read for a query now, by EXPLAIN ESTIMATE.</summary>
/// <param name="Id">The shape of the query in the workload.</param>
/// <param name="Text">The query, cut.</param>
/// <param name="Count">How often it ran.</param>
public sealed record QueryShare(string Id, string Text, long Count)
{
    /// <summary>Marks that it would read.</summary>
    public long? Marks { get; init; }

    /// <summary>Rows that it would read.</summary>
    public long? Rows { get; init; }

    /// <summary>Marks of the table.</summary>
    public long TotalMarks { get; init; }

    /// <summary>Why it cannot be told; null when it can.</summary>
    public string? Unknown { get; init; }
}

/// <summary>Sorting keys that would serve the queries of the log better.</summary>
/// <param name="Table">The table.</param>
/// <param name="Proposals">At most three, the most promising first.</param>
/// <param name="None">Why there is none, as a sentence; null when there is one.</param>
public sealed record KeyProposals(QualifiedName Table, IReadOnlyList<KeyProposal> Proposals, string? None);

/// <summary>A sorting key that may be worth an estimate.</summary>
/// <param name="OrderBy">The expression for ORDER BY.</param>
/// <param name="Why">One or two sentences.</param>
public sealed record KeyProposal(string OrderBy, string Why);
