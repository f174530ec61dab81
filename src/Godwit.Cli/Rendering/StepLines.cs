using Godwit.Plans;
using Godwit.Runs;
using Spectre.Console;

namespace Godwit.Cli.Rendering;

/// <summary>The steps of a plan or a run on as few lines as tell the story, be they 10,000.</summary>
internal static class StepLines
{
    private const int MostLines = 40;
    private const int WorthCollapsing = 3;

    /// <summary>The steps of a plan.</summary>
    public static Table Of(IReadOnlyList<PlannedStep> steps)
    {
        var table = Look.Bare("Step", "Kind", "Rows", "Bytes", "");
        foreach (var line in Collapse([.. steps.Select(s => new Line(s.Index, s.Index, 1, s.Kind, s.Description, "", 0, s.RowsTotal, s.BytesTotal))]))
        {
            table.AddRow(
                Look.Words(line.Numbers),
                Look.Words(line.Kind, Look.Strong),
                Look.Words(line.RowsTotal is { } rows ? Plain.Count(rows) : ""),
                Look.Words(line.BytesTotal is { } bytes ? Plain.Bytes(bytes) : ""),
                Look.Words(line.Description));
        }

        return table;
    }

    /// <summary>The steps of a run.</summary>
    public static Table Of(IReadOnlyList<StepStatus> steps)
    {
        var table = Look.Bare("Step", "Kind", "State", "Rows", "");
        foreach (var line in Collapse([.. steps.Select(s => new Line(s.Index, s.Index, 1, s.Kind, s.Description, Plain.Word(s.State), s.RowsDone, s.RowsTotal, null))]))
        {
            table.AddRow(
                Look.Words(line.Numbers),
                Look.Words(line.Kind),
                Look.Words(line.State, StyleOf(line.State)),
                Look.Words(line.RowsTotal is { } total ? $"{Plain.Count(line.RowsDone)} of {Plain.Count(total)}" : ""),
                Look.Words(line.Description, Look.Quiet));
        }

        return table;
    }

    private static Style StyleOf(string state) => state switch
    {
        "done" => Look.Good,
        "failed" => Look.Bad,
        "running" => Look.Strong,
        "undone" => Look.Warn,
        "pending" => Look.Quiet,
        _ => Style.Plain,
    };

    private static List<Line> Collapse(IReadOnlyList<Line> lines)
    {
        List<Line> collapsed = [];
        for (var start = 0; start < lines.Count;)
        {
            var end = start + 1;
            while (end < lines.Count && lines[end].Kind == lines[start].Kind)
            {
                end++;
            }

            var same = lines.Skip(start).Take(end - start).ToList();
            collapsed.AddRange(same.Count < WorthCollapsing ? same : [Merge(same)]);
            start = end;
        }

        // Kinds that take turns leave as many lines as before; then a line for each kind has to do.
        return collapsed.Count <= MostLines ? collapsed : [.. lines.GroupBy(l => l.Kind).Select(g => g.ToList()).Select(g => g.Count == 1 ? g[0] : Merge(g))];
    }

    private static Line Merge(List<Line> same) => new(
        same[0].First,
        same[^1].Last,
        same.Count,
        same[0].Kind,
        $"{Plain.Count(same.Count)} steps, from: {same[0].Description}",
        string.Join(", ", same.GroupBy(l => l.State).Select(g => same.Count == g.Count() ? g.Key : $"{Plain.Count(g.Count())} {g.Key}")),
        same.Sum(l => l.RowsDone),
        same.Any(l => l.RowsTotal is not null) ? same.Sum(l => l.RowsTotal) : null,
        same.Any(l => l.BytesTotal is not null) ? same.Sum(l => l.BytesTotal) : null);

    private sealed record Line(
        int First, int Last, int Count, string Kind, string Description, string State, long RowsDone, long? RowsTotal, long? BytesTotal)
    {
        public string Numbers => Count == 1 ? $"{First}" : $"{First}–{Last}";
    }
}
