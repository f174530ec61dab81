using Godwit.Inspection;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Godwit.Cli.Rendering;

/// <summary>How two tables differ.</summary>
internal static class ComparisonView
{
    /// <summary>Both sides, what was counted of them as a whole, each cut with its differences, and what was found.</summary>
    public static IRenderable Of(Comparison comparison)
    {
        List<IRenderable> parts = [Look.Facts(Facts(comparison)), Text.Empty, Whole(comparison)];
        if (comparison.Ids?.Unavailable is { } unavailable)
        {
            parts.Add(Look.Words(unavailable, Look.Bad));
        }

        foreach (var cut in comparison.Cuts)
        {
            parts.AddRange([Text.Empty, Heading(cut)]);
            if (cut.Rows.Count > 0)
            {
                parts.Add(Differences(cut));
            }

            if (cut.More > 0)
            {
                parts.Add(new Text($"and {Plain.Count(cut.More)} more", Look.Quiet));
            }
        }

        if (comparison.Notes.Count > 0)
        {
            parts.AddRange([Text.Empty, .. comparison.Notes.Select(n => Look.Words(n, Look.Quiet))]);
        }

        parts.AddRange([Text.Empty, Look.Words(comparison.Summary, comparison.IsSame ? Look.Good : Look.Warn)]);
        return new Rows(parts);
    }

    private static IEnumerable<(string, IRenderable)> Facts(Comparison comparison)
    {
        yield return ("A", Look.Words(comparison.A, Look.Strong));
        yield return ("B", Look.Words(comparison.B, Look.Strong));
        yield return ("Server", Look.Words(comparison.Node));
        if (comparison.Where is { } where)
        {
            yield return ("Where", Look.Words(where));
        }
    }

    private static Table Whole(Comparison comparison)
    {
        var table = Counts("");
        Add(table, "Rows", comparison.Rows);
        if (comparison.Ids is { Unavailable: null } ids)
        {
            Add(table, $"Rows with {ids.Column}", ids.Rows);
            Add(table, $"Unique {ids.Column}", ids.Unique);
        }

        if (comparison.Last is { } last)
        {
            table.AddRow(Look.Words($"Last {last.Column}"), Look.Words(last.A ?? "–"), Look.Words(last.B ?? "–"), last.IsSame ? new Text("0", Look.Quiet) : new Text("differs", Look.Warn));
        }

        return table;
    }

    private static Text Heading(ComparisonCut cut) => cut.Unavailable is { } why
        ? Look.Words(why, Look.Bad)
        : Look.Words($"{ComparisonText.Heading(cut)}: {ComparisonText.Found(cut)}", cut.IsSame ? Look.Good : Look.Warn);

    private static Table Differences(ComparisonCut cut)
    {
        var table = Counts(cut.Kind == CutKind.Column ? "Value" : cut.Kind.ToString());
        foreach (var row in cut.Rows)
        {
            Add(table, ComparisonText.Key(row.Key), row);
        }

        return table;
    }

    private static Table Counts(string key)
    {
        var table = Look.Bare(key, "A", "B", "Difference");
        foreach (var column in table.Columns.Skip(1))
        {
            column.Alignment = Justify.Right;
        }

        return table;
    }

    private static void Add(Table table, string key, ComparisonRow row) => table.AddRow(
        Look.Words(key), new Text(Plain.Count(row.A)), new Text(Plain.Count(row.B)), new Text(ComparisonText.Difference(row.Difference), row.Difference == 0 ? Look.Quiet : Look.Warn));
}
