using Godwit.Runs;
using Spectre.Console;

namespace Godwit.Cli.Rendering;

/// <summary>Errors of a run, oldest first.</summary>
internal static class ErrorsView
{
    /// <summary>A line for each, with the server's words below when wanted.</summary>
    public static Grid Of(IReadOnlyList<StatusError> errors, bool withDetails)
    {
        var grid = new Grid().AddColumn(Look.Narrow()).AddColumn(Look.Narrow()).AddColumn(new GridColumn().Padding(0, 0, 0, 0));
        foreach (var error in errors)
        {
            grid.AddRow(
                Look.Words(Plain.Moment(error.At), Look.Quiet),
                Look.Words(error.Step is { } step ? $"step {step}" : "run", Look.Quiet),
                Look.Words(error.Message, Look.Bad));
            if (withDetails && error.Details is { Length: > 0 } details)
            {
                grid.AddRow(Text.Empty, Text.Empty, Look.Words(details));
            }
        }

        return grid;
    }
}
