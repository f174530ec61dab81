using Godwit.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Godwit.Cli.Rendering;

/// <summary>The few shapes and colours that all views share. Text is never read as markup: names may hold brackets.</summary>
internal static class Look
{
    public static readonly Style Quiet = new(Color.Grey);
    public static readonly Style Good = new(Color.Green);
    public static readonly Style Warn = new(Color.Yellow);
    public static readonly Style Bad = new(Color.Red);
    public static readonly Style Strong = new(decoration: Decoration.Bold);

    /// <summary>Foreign words.</summary>
    public static Text Words(string text, Style? style = null) => new(Plain.Clean(text), style ?? Style.Plain);

    /// <summary>A table without lines.</summary>
    public static Table Bare(params IReadOnlyList<string> headings)
    {
        var table = new Table().NoBorder();
        foreach (var heading in headings)
        {
            table.AddColumn(new TableColumn(new Text(heading, Quiet)) { Padding = new Padding(0, 0, 2, 0) });
        }

        return table;
    }

    /// <summary>A column as wide as what is in it.</summary>
    public static GridColumn Narrow() => new GridColumn().NoWrap().Padding(0, 0, 2, 0);

    /// <summary>Labels with values.</summary>
    public static Grid Facts(IEnumerable<(string Label, IRenderable Value)> facts)
    {
        var grid = new Grid().AddColumn(Narrow()).AddColumn(new GridColumn().Padding(0, 0, 0, 0));
        foreach (var (label, value) in facts)
        {
            grid.AddRow(new Text(label, Quiet), value);
        }

        return grid;
    }

    /// <summary>The colour of a run's state.</summary>
    public static Style Of(RunState state) => state switch
    {
        RunState.Completed or RunState.NotRequired => Good,
        RunState.Paused or RunState.AwaitingCutover or RunState.RollingBack or RunState.RolledBack => Warn,
        RunState.Failed or RunState.FailedAtStartup or RunState.NeedsOperator => Bad,
        _ => Strong,
    };
}
