using Godwit.ClickHouse;

namespace Godwit.Inspection;

/// <summary>How two tables differ in what was counted of them. Counts are taken one after the other: writers may come in between.</summary>
/// <param name="A">The one side, <c>db.table</c> or <c>db./pattern/</c>.</param>
/// <param name="B">The other side.</param>
public sealed record Comparison(string A, string B)
{
    /// <summary>The server, as host:port.</summary>
    public string Node { get; init; } = "";

    /// <summary>The condition that chose the rows; null when all were counted.</summary>
    public string? Where { get; init; }

    /// <summary>All rows of both sides.</summary>
    public required ComparisonRow Rows { get; init; }

    /// <summary>The newest moments; null when there is no column of dates that both have.</summary>
    public ComparedTimes? Last { get; init; }

    /// <summary>What tells rows apart; null when there is no such column.</summary>
    public ComparedIds? Ids { get; init; }

    /// <summary>The counts: by partition, by day, by each column that was named.</summary>
    public IReadOnlyList<ComparisonCut> Cuts { get; init; } = [];

    /// <summary>What to know when reading it, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Whether all could be counted and no difference was found.</summary>
    public bool IsSame => Rows.Difference == 0 && Last?.IsSame != false && Ids?.IsSame != false && Cuts.All(c => c.IsSame);

    /// <summary>One sentence: what was found.</summary>
    public string Summary => ComparisonText.Summary(this);

    /// <summary>Compares two tables of a server: for the checks of migrations, which have no <see cref="Migrator"/>.</summary>
    /// <exception cref="Checks.InvalidRequestException">There is no such table or column, or the condition is no expression.</exception>
    public static Task<Comparison> MakeAsync(ClickHouseGateway gateway, ComparisonRequest request, CancellationToken ct = default) => new ComparisonReader(gateway, request).ReadAsync(ct);
}

/// <summary>Counts of rows under one key.</summary>
/// <param name="Key">The value of the cut as text; null for NULL.</param>
/// <param name="A">Rows of the one side.</param>
/// <param name="B">Rows of the other.</param>
public sealed record ComparisonRow(string? Key, long A, long B)
{
    /// <summary>How many more B has; negative when it has fewer.</summary>
    public long Difference => B - A;
}

/// <summary>The newest moment of each side.</summary>
/// <param name="Column">The column.</param>
/// <param name="A">ISO 8601, in UTC or a day; null when there are no rows, or NULLs only.</param>
/// <param name="B">The same of the other side.</param>
public sealed record ComparedTimes(string Column, string? A, string? B)
{
    /// <summary>Whether they are the same moment.</summary>
    public bool IsSame => A == B;
}

/// <summary>How many rows have an id, and how many different ids there are. Where they differ, an id is there more than once.</summary>
/// <param name="Column">The column.</param>
/// <param name="Rows">Rows whose id is not NULL.</param>
/// <param name="Unique">Different ids, exactly.</param>
/// <param name="Unavailable">Why they could not be counted, as a sentence; null when they could.</param>
public sealed record ComparedIds(string Column, ComparisonRow Rows, ComparisonRow Unique, string? Unavailable = null)
{
    /// <summary>Whether they could be counted and are as many.</summary>
    public bool IsSame => Unavailable is null && Rows.Difference == 0 && Unique.Difference == 0;
}

/// <summary>By what rows are counted.</summary>
public enum CutKind
{
    /// <summary>By the partition key of one side, computed on both.</summary>
    Partition,

    /// <summary>By the day in UTC of a column.</summary>
    Day,

    /// <summary>By the values of a column.</summary>
    Column,
}

/// <summary>Rows counted by a key on both sides, and the keys whose counts differ.</summary>
/// <param name="Kind">By what.</param>
/// <param name="By">The column, or the expression of the partition key.</param>
public sealed record ComparisonCut(CutKind Kind, string By)
{
    /// <summary>How many keys there are on either side.</summary>
    public long Keys { get; init; }

    /// <summary>Of how many of them the counts differ.</summary>
    public long Differing { get; init; }

    /// <summary>The keys that differ, the largest difference first; at most as many as were asked for.</summary>
    public IReadOnlyList<ComparisonRow> Rows { get; init; } = [];

    /// <summary>How many more keys differ than are in <see cref="Rows"/>.</summary>
    public long More => Differing - Rows.Count;

    /// <summary>Why it could not be counted, as a sentence; null when it could.</summary>
    public string? Unavailable { get; init; }

    /// <summary>Whether it could be counted and no key differs.</summary>
    public bool IsSame => Unavailable is null && Differing == 0;
}
