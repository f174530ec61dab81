using Godwit.Metadata;
using Spectre.Console;

namespace Godwit.Cli.Rendering;

/// <summary>The list of runs.</summary>
internal static class RunsView
{
    /// <summary>A line for each run.</summary>
    public static Table Of(IReadOnlyList<RunRecord> runs)
    {
        var table = Look.Bare("Run", "State", "What", "Strategy", "Server", "Created", "Rollback until");
        foreach (var run in runs)
        {
            table.AddRow(
                Look.Words(run.RunId, Look.Strong),
                Look.Words(run.State.ToString(), Look.Of(run.State)),
                Look.Words(run.Subject),
                Look.Words(run.Strategy ?? ""),
                Look.Words(run.Instance),
                Look.Words(Plain.Moment(run.CreatedAt), Look.Quiet),
                Look.Words(run is { RollbackUntil: { } until, CleanedUp: false } ? Plain.Moment(until) : "", Look.Quiet));
        }

        return table;
    }
}
