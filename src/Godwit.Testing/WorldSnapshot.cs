namespace Godwit.Testing;

/// <summary>What the world was at a moment.</summary>
/// <param name="Definitions">How everything is defined, by name.</param>
/// <param name="Rows">What tables hold, by name.</param>
internal sealed record WorldSnapshot(IReadOnlyDictionary<string, string> Definitions, IReadOnlyDictionary<string, TableRows> Rows)
{
    /// <summary>In what the world is not this one any more; null when it is the same.</summary>
    public string? Difference(WorldSnapshot actual)
    {
        List<string> differences = [];
        foreach (var name in Definitions.Keys.Union(actual.Definitions.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var (wanted, found) = (Definitions.GetValueOrDefault(name), actual.Definitions.GetValueOrDefault(name));
            if (found is null || wanted is null)
            {
                differences.Add(found is null ? $"{name} is missing." : $"{name} is there and should not be.");
            }
            else if (wanted != found)
            {
                differences.Add($"{name} is defined as\n  {found}\nrather than\n  {wanted}");
            }
            else if (Rows.TryGetValue(name, out var rows) && rows.Difference(actual.Rows[name]) is { } difference)
            {
                differences.Add($"{name} {difference}");
            }
        }

        return differences.Count == 0 ? null : string.Join('\n', differences);
    }
}

/// <summary>What a table holds.</summary>
/// <param name="Count">How many rows.</param>
/// <param name="Whole">What the rows add up to.</param>
/// <param name="Columns">What the values of each column add up to.</param>
/// <param name="Sample">The rows themselves, in order; null when they are many.</param>
internal sealed record TableRows(long Count, string Whole, IReadOnlyDictionary<string, string> Columns, IReadOnlyList<string>? Sample)
{
    private const int Shown = 3;

    /// <summary>In what the rows are not these; null when they are the same.</summary>
    public string? Difference(TableRows actual)
    {
        if (Count == actual.Count && Whole == actual.Whole)
        {
            return null;
        }

        var columns = Columns.Keys.Where(c => actual.Columns.GetValueOrDefault(c) != Columns[c]).ToList();
        var what = (Count == actual.Count, columns) switch
        {
            (false, _) => $"has {actual.Count} rows rather than {Count}.",
            (true, []) => "has the same values in other rows.",
            _ => $"has other values in {string.Join(", ", columns)}.",
        };
        return Sample is null || actual.Sample is null
            ? what
            : $"{what}{Some("too many", Less(actual.Sample, Sample))}{Some("missing", Less(Sample, actual.Sample))}";
    }

    private static string Some(string what, List<string> rows) => rows.Count == 0
        ? ""
        : $"\n  {what}: {string.Join(' ', rows.Take(Shown))}{(rows.Count > Shown ? $" and {rows.Count - Shown} more" : "")}";

    /// <summary>The rows of one that are not in the other, each as often as it is missing there.</summary>
    private static List<string> Less(IReadOnlyList<string> some, IReadOnlyList<string> others)
    {
        var left = others.ToList();
        return some.Where(row => !left.Remove(row)).ToList();
    }
}
