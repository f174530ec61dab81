using Godwit.Checks;

namespace Godwit.Inspection;

/// <summary>The columns that two sides are compared by: those that were named, and those that are found.</summary>
/// <param name="By">Columns that are counted by.</param>
/// <param name="Day">The column of dates; null when there is none.</param>
/// <param name="Id">What tells rows apart; null when there is none.</param>
/// <param name="PartitionsOf">The side whose partition key is counted by; null when there is none that both could compute.</param>
internal sealed record ComparedColumns(IReadOnlyList<string> By, string? Day, string? Id, ComparedSide? PartitionsOf)
{
    private const int MostNamed = 50;
    private static readonly string[] Ids = ["uuid", "id"];

    /// <summary>What to know, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>Chooses them.</summary>
    /// <exception cref="InvalidRequestException">A column that was named is not there, or is of no use.</exception>
    public static ComparedColumns Choose(ComparisonRequest request, ComparedSide a, ComparedSide b)
    {
        var common = a.Columns.Where(c => b.Find(c.Name) is not null).ToList();
        var dates = common.Where(c => Is(c) && Is(b.Find(c.Name)!)).ToList();
        var by = request.By.Distinct(StringComparer.Ordinal).ToList();
        List<string> problems = [.. by.Append(request.Id).Append(request.Day).OfType<string>().Distinct(StringComparer.Ordinal).Select(c => Missing(c, a, b, common)).OfType<string>()];
        if (problems.Count == 0 && request.Day is { } named && dates.All(c => c.Name != named))
        {
            problems.Add($"{named} is {a.Find(named)!.Type} in {a.Name} and {b.Find(named)!.Type} in {b.Name}, so it has no days; {Named("columns of dates that both have", dates)}.");
        }

        if (problems.Count > 0)
        {
            throw new InvalidRequestException(problems);
        }

        var day = request.Day ?? dates.Where(c => !c.IsComputed).OrderBy(c => Rank(c, b.Find(c.Name)!)).FirstOrDefault()?.Name;
        var id = request.Id ?? Ids.FirstOrDefault(i => common.Any(c => c.Name == i));
        var partitions = new[] { (Side: a, Other: b), (Side: b, Other: a) }
            .Where(s => s.Side.PartitionKey.Length > 0 && s.Side.Columns.Where(c => c.InPartitionKey).All(c => s.Other.Find(c.Name) is not null)).Select(s => s.Side).FirstOrDefault();
        return new ComparedColumns(by, day, id, partitions) { Notes = [.. Explain(a, b, by, day, partitions)] };
    }

    private static bool Is(ComparedColumn column) => column.IsDay || column.IsMoment;

    private static int Rank(ComparedColumn a, ComparedColumn b) => a.InPartitionKey || b.InPartitionKey ? 0 : a.InSortingKey || b.InSortingKey ? 1 : 2;

    private static string? Missing(string column, ComparedSide a, ComparedSide b, List<ComparedColumn> common)
    {
        var without = new[] { a, b }.Where(s => s.Find(column) is null).Select(s => s.Name.ToString()).Distinct(StringComparer.Ordinal).ToList();
        return without.Count == 0 ? null : $"There is no column {column} in {string.Join(" and ", without)}; {Named("columns that both have", common)}.";
    }

    private static string Named(string what, List<ComparedColumn> columns) => columns.Count == 0
        ? $"there are no {what}"
        : $"the {what} are {string.Join(", ", columns.Take(MostNamed).Select(c => c.Name))}{(columns.Count > MostNamed ? $" and {columns.Count - MostNamed} more" : "")}";

    private static IEnumerable<string> Explain(ComparedSide a, ComparedSide b, List<string> by, string? day, ComparedSide? partitions)
    {
        foreach (var side in new[] { a, b }.Where(s => s.Tables.Count > 1))
        {
            yield return $"{side.Name} stands for {side.Tables.Count} tables: {string.Join(", ", side.Tables.Take(MostNamed))}{(side.Tables.Count > MostNamed ? " …" : "")}.";
        }

        if (partitions is null && a.PartitionKey.Length + b.PartitionKey.Length > 0)
        {
            yield return $"Nothing is counted by partition: {a.Name} and {b.Name} do not both have the columns of a partition key.";
        }
        else if (partitions is not null && a.PartitionKey != b.PartitionKey && a.PartitionKey.Length > 0 && b.PartitionKey.Length > 0)
        {
            yield return $"Their partition keys differ ({a.PartitionKey} and {b.PartitionKey}); both are counted by that of {partitions.Name}.";
        }

        foreach (var column in partitions?.Columns.Where(c => c.InPartitionKey && a.Find(c.Name)!.Type != b.Find(c.Name)!.Type) ?? [])
        {
            yield return $"{column.Name} is {a.Find(column.Name)!.Type} in {a.Name} and {b.Find(column.Name)!.Type} in {b.Name}, so the same row may count for different partitions.";
        }

        if (day is null)
        {
            yield return "Nothing is counted by day: there is no column of dates that both have.";
        }

        foreach (var column in by.Where(c => a.Find(c)!.Type != b.Find(c)!.Type))
        {
            yield return $"{column} is {a.Find(column)!.Type} in {a.Name} and {b.Find(column)!.Type} in {b.Name}; its values are compared as texts.";
        }
    }
}
