namespace Godwit.Inspection;

/// <summary>A comparison in words, for the command line, pages and checks alike.</summary>
internal static class ComparisonText
{
    /// <summary>What a key is shown as where NULL and the empty text must be told apart.</summary>
    public static string Key(string? key) => key switch
    {
        null => "NULL",
        "" => "''",
        _ => key,
    };

    /// <summary>+1,234; 0; -5.</summary>
    public static string Difference(long difference) => difference > 0 ? $"+{Plain.Count(difference)}" : Plain.Count(difference);

    /// <summary>By partition (toYYYYMM(day)); By day of timestamp; By team_id.</summary>
    public static string Heading(ComparisonCut cut) => cut.Kind switch
    {
        CutKind.Partition => $"By partition {(cut.By.StartsWith('(') ? cut.By : $"({cut.By})")}",
        CutKind.Day => $"By day of {cut.By}",
        _ => $"By {cut.By}",
    };

    /// <summary>2 of 24 partitions differ. Of a cut that could be counted.</summary>
    public static string Found(ComparisonCut cut) => (cut.Keys, cut.Differing) switch
    {
        (0, _) => "no rows",
        (1, 0) => $"the same in the only {Noun(cut.Kind, 1)}",
        (_, 0) => $"the same in all {Plain.Count(cut.Keys)} {Noun(cut.Kind, cut.Keys)}",
        _ => $"{Plain.Count(cut.Differing)} of {Plain.Count(cut.Keys)} {Noun(cut.Kind, cut.Keys)} {(cut.Differing == 1 ? "differs" : "differ")}",
    };

    /// <summary>What was found, in one sentence.</summary>
    public static string Summary(Comparison comparison)
    {
        var rows = comparison.Rows;
        List<string> parts = [rows.Difference switch
        {
            0 => $"{comparison.A} and {comparison.B} both have {Rows(rows.A)}",
            var more => $"{comparison.B} has {Rows(Math.Abs(more))} {(more > 0 ? "more" : "fewer")} than {comparison.A} ({Plain.Count(rows.B)} against {Plain.Count(rows.A)})",
        }];
        if (comparison.IsSame)
        {
            return $"No difference was found: {parts[0]}.";
        }

        if (comparison.Last is { IsSame: false } last)
        {
            parts.Add($"the last {last.Column} is {last.B ?? "nothing"} against {last.A ?? "nothing"}");
        }

        if (comparison.Ids is { IsSame: false } ids)
        {
            parts.Add(ids.Unavailable is null ? $"{ids.Column} has {Plain.Count(ids.Unique.B)} unique values in {Rows(ids.Rows.B)} against {Plain.Count(ids.Unique.A)} in {Rows(ids.Rows.A)}" : $"{ids.Column} could not be counted");
        }

        parts.AddRange(comparison.Cuts.Where(c => !c.IsSame).Select(Difference));
        return $"{string.Join("; ", parts)}.";
    }

    private static string Difference(ComparisonCut cut)
    {
        var of = cut.Kind == CutKind.Partition ? "" : $" of {cut.By}";
        return cut.Unavailable is null
            ? $"{Plain.Count(cut.Differing)} of {Plain.Count(cut.Keys)} {Noun(cut.Kind, cut.Keys)}{of} {(cut.Differing == 1 ? "differs" : "differ")}"
            : $"{Noun(cut.Kind, 2)}{of} could not be counted";
    }

    private static string Rows(long count) => count == 1 ? "1 row" : $"{Plain.Count(count)} rows";

    private static string Noun(CutKind kind, long count) => (kind, count) switch
    {
        (CutKind.Partition, 1) => "partition",
        (CutKind.Partition, _) => "partitions",
        (CutKind.Day, 1) => "day",
        (CutKind.Day, _) => "days",
        (_, 1) => "value",
        _ => "values",
    };
}
