using Godwit.ClickHouse;

namespace Godwit.Inspection;

/// <summary>What a rebuild would change, measured on a sample of the table under both keys.</summary>
/// <param name="Table">The table.</param>
public sealed record RebuildEstimate(QualifiedName Table)
{
    /// <summary>Why nothing could be measured, as a sentence; null when it could.</summary>
    public string? Unavailable { get; init; }

    /// <summary>What the figures rest on, such as <c>measured on 1,000,000 of 52,000,000 rows</c>; all but <see cref="QueryChange.RowsNow"/> are scaled up from there.</summary>
    public string Basis { get; init; } = "";

    /// <summary>Rows of the sample.</summary>
    public long SampleRows { get; init; }

    /// <summary>Rows of the table.</summary>
    public long TotalRows { get; init; }

    /// <summary>A granule of the sample stands for so many rows of the table: smaller differences cannot be seen.</summary>
    public long Resolution { get; init; }

    /// <summary>The queries of the log, those that read the most in all first.</summary>
    public IReadOnlyList<QueryChange> Queries { get; init; } = [];

    /// <summary>Why there are no queries, as a sentence; null when the log could be read.</summary>
    public string? WorkloadUnavailable { get; init; }

    /// <summary>Compressed bytes of the table: about what the copy needs on disk if it compresses no worse.</summary>
    public long SourceBytes { get; init; }

    /// <summary>
    /// Bytes of the copy, by how the sample compresses under both keys; null when the sample is empty. Of a thin sample a key whose values repeat seems to
    /// compress worse than it will.
    /// </summary>
    public long? CopyBytes { get; init; }

    /// <summary>Compressed bytes under the new definition for one under the present; null when the sample is empty.</summary>
    public double? BytesRatio { get; init; }

    /// <summary>Rows per second at which the sample was sorted and written under the new definition, by two threads.</summary>
    public double? RowsPerSecond { get; init; }

    /// <summary>Seconds that the copy of all rows takes at that rate, without brakes and limits.</summary>
    public double? CopySeconds { get; init; }
}

/// <summary>What becomes of a query.</summary>
public enum QueryVerdict
{
    /// <summary>It reads at least a tenth less.</summary>
    Faster,

    /// <summary>It reads about as much.</summary>
    Same,

    /// <summary>It reads at least a tenth more.</summary>
    Slower,

    /// <summary>It cannot be told.</summary>
    Unknown,
}

/// <summary>What a query reads before and after.</summary>
/// <param name="Id">The shape of the query in the workload.</param>
/// <param name="Text">The query, cut.</param>
/// <param name="Count">How often it ran.</param>
/// <param name="Verdict">What becomes of it.</param>
public sealed record QueryChange(string Id, string Text, long Count, QueryVerdict Verdict)
{
    /// <summary>Rows that the server would read of the table as it is, with all its parts; null when it cannot be told.</summary>
    public long? RowsNow { get; init; }

    /// <summary>Rows under the present key, in fresh parts: what to compare with <see cref="RowsAfter"/>.</summary>
    public long? RowsBefore { get; init; }

    /// <summary>Rows under the new definition, in fresh parts.</summary>
    public long? RowsAfter { get; init; }

    /// <summary>Why it cannot be told; null when it can.</summary>
    public string? Reason { get; init; }
}
