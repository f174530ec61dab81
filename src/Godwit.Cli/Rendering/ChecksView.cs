using Godwit.Checks;
using Spectre.Console;

namespace Godwit.Cli.Rendering;

/// <summary>What checks found: ✓ good, ! to know, ✗ in the way.</summary>
internal static class ChecksView
{
    /// <summary>A line for each check.</summary>
    public static Grid Of(IReadOnlyList<CheckResult> checks)
    {
        var grid = new Grid().AddColumn(Look.Narrow()).AddColumn(Look.Narrow()).AddColumn(new GridColumn().Padding(0, 0, 0, 0));
        foreach (var check in checks)
        {
            var (sign, style) = check.Verdict switch
            {
                CheckVerdict.Ok => ("✓", Look.Good),
                CheckVerdict.Warning => ("!", Look.Warn),
                CheckVerdict.Unreadable => ("?", Look.Bad),
                _ => ("✗", Look.Bad),
            };
            grid.AddRow(new Text(sign, style), Look.Words(check.Check, style), Look.Words(check.Message));
        }

        return grid;
    }
}
