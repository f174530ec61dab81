namespace Godwit.Inspection;

/// <summary>What is to be compared, and by what it is counted.</summary>
/// <param name="A">The one side, such as the table as it was.</param>
/// <param name="B">The other side, on the same server.</param>
public sealed record ComparisonRequest(TableOrPattern A, TableOrPattern B)
{
    /// <summary>How many differences of a cut are returned when nothing is said.</summary>
    public const int DefaultLimit = 20;

    /// <summary>The most differences of a cut that can be asked for.</summary>
    public const int MostLimit = 1000;

    /// <summary>The most columns that can be named: the tables are read once for each.</summary>
    public const int MostColumns = 10;

    /// <summary>Columns by which rows are counted; each makes a cut of its own.</summary>
    public IReadOnlyList<string> By { get; init; } = [];

    /// <summary>The column that says when a row happened; null for one that is found: of the partition key, of the sorting key, or the first of its type.</summary>
    public string? Day { get; init; }

    /// <summary>The column that tells rows apart; null for <c>uuid</c> or <c>id</c>, if both sides have it.</summary>
    public string? Id { get; init; }

    /// <summary>Only rows for which this SQL expression is true; null for all.</summary>
    public string? Where { get; init; }

    /// <summary>How many differences of each cut are returned, the largest ones.</summary>
    public int Limit { get; init; } = DefaultLimit;

    /// <summary>Reads the names of both sides; null when one cannot be read, with a sentence for each in <paramref name="problems"/>.</summary>
    internal static ComparisonRequest? Read(string? a, string? b, ICollection<string> problems)
    {
        if (!TableOrPattern.TryParse(a, out var left, out var error))
        {
            problems.Add(error);
        }

        if (!TableOrPattern.TryParse(b, out var right, out error))
        {
            problems.Add(error);
        }

        return left is null || right is null ? null : new ComparisonRequest(left, right);
    }

    /// <summary>What can be said to be wrong without asking the server, a sentence each.</summary>
    public IEnumerable<string> Problems()
    {
        if (By.Count > MostColumns)
        {
            yield return $"{By.Count} columns are too many: the tables are read once for each, so name at most {MostColumns}.";
        }

        if (Limit is < 1 or > MostLimit)
        {
            yield return $"The limit {Limit} is not a number from 1 to {MostLimit}.";
        }

        if (Where is not null && SqlCondition.Problem(Where) is { } problem)
        {
            yield return problem;
        }
    }
}
