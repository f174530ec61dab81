using Godwit.Checks;
using Godwit.Plans;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Godwit.Cli.Rendering;

/// <summary>A plan as a person reads it before it runs.</summary>
internal static class PlanView
{
    /// <summary>Table, strategy, why, what to know, and the steps.</summary>
    public static IRenderable Of(Plan plan, IReadOnlyList<CheckResult> checks)
    {
        List<(string, IRenderable)> facts =
        [
            .. Subject(plan).Where(s => s.Text is not null).Select(s => (s.Label, (IRenderable)Look.Words(s.Text!, Look.Strong))),
            .. plan.Reasons.Select((reason, i) => (i == 0 ? "Why" : "", (IRenderable)Look.Words(reason))),
            ("Moves", Look.Words(Moves(plan))),
        ];
        List<IRenderable> parts = [Look.Facts(facts)];
        if (checks.Where(c => c.Verdict != CheckVerdict.Ok).ToList() is { Count: > 0 } remarks)
        {
            parts.AddRange([Text.Empty, ChecksView.Of(remarks)]);
        }

        parts.AddRange([Text.Empty, plan.Steps.Count > 0 ? StepLines.Of(plan.Steps) : new Text("Nothing has to be done.")]);
        return new Rows(parts);
    }

    private static IEnumerable<(string Label, string? Text)> Subject(Plan plan) =>
    [
        ("Migration", plan.Migration == Plan.ByHand ? null : plan.Migration),
        ("Parameters", plan.Parameters.Count == 0 ? null : string.Join(", ", plan.Parameters.Select(p => $"{p.Key} = {p.Value}"))),
        ("Table", plan.Tables.Count == 0 ? null : string.Join(", ", plan.Tables)),
        ("Strategy", plan.Strategy),
    ];

    private static string Moves(Plan plan)
    {
        var steps = plan.Steps.Count == 1 ? "1 step" : $"{Plain.Count(plan.Steps.Count)} steps";
        var rows = plan.Steps.Sum(s => s.RowsTotal) ?? 0;
        var bytes = plan.Steps.Sum(s => s.BytesTotal) ?? 0;
        return rows == 0 && bytes == 0 ? $"no rows · {steps}" : $"{Plain.Count(rows)} rows · {Plain.Bytes(bytes)} · {steps}";
    }
}
