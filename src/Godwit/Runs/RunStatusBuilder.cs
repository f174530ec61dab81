using System.Text.Json;
using Godwit.Metadata;
using Godwit.Plans;

namespace Godwit.Runs;

/// <summary>Puts a status together from what the store holds.</summary>
internal static class RunStatusBuilder
{
    public static RunStatus Build(RunRecord run, Plan plan, IReadOnlyList<StepRecord> steps, IReadOnlyList<RunError> errors, string? owner)
    {
        var progress = run.Progress is null ? new RunProgress() : JsonSerializer.Deserialize<RunProgress>(run.Progress, PlanFormat.Json)!;
        var isLive = owner is not null;

        // What an owner noted last, before it was paused or taken over, is no rate of now.
        var isWorking = isLive && run.State is (RunState.Starting or RunState.Running or RunState.RollingBack);
        var shown = plan.Steps.Zip(steps, (planned, record) => Step(planned, record, progress, isLive)).ToList();
        var rows = shown.Where(s => s.RowsTotal is not null).Sum(s => s.RowsDone);
        var rowsTotal = plan.Steps.Sum(s => s.RowsTotal ?? 0);
        var bytesTotal = plan.Steps.Sum(s => s.BytesTotal ?? 0);
        return new RunStatus
        {
            RunId = run.RunId,
            Migration = run.Migration,
            Table = run.Tables.Count == 0 ? null : string.Join(", ", run.Tables),
            State = run.State,
            Strategy = run.Strategy,
            Problem = run.Problem,
            Owner = owner,
            MaxRowsPerSecond = RunOptions.Read(run.Options).MaxRowsPerSecond,
            LagSeconds = isWorking || (isLive && run.State == RunState.AwaitingCutover) ? progress.LagSeconds : null,
            Steps = shown,
            RowsCopied = rows,
            RowsTotal = rowsTotal,
            BytesCopied = rowsTotal == 0 ? 0 : (long)((double)bytesTotal * Math.Min(rows, rowsTotal) / rowsTotal),
            BytesTotal = bytesTotal,
            Percent = Math.Round(Percent(run.State, progress.Percent) ?? Share(rows, rowsTotal) ?? Share(shown.Count(s => s.State == StepState.Done), shown.Count) ?? 0, 1),
            RowsPerSecond = isWorking ? progress.RowsPerSecond : 0,
            EtaSeconds = isWorking && progress.RowsPerSecond > 0 ? (long)((rowsTotal - Math.Min(rows, rowsTotal)) / progress.RowsPerSecond) : null,
            Brake = isLive ? progress.Brake : null,
            CurrentQueryId = isWorking ? progress.CurrentQueryId : null,
            Activity = isLive ? progress.Activity : null,
            Cutover = progress.Cutover,
            Findings = progress.Findings,
            Errors = errors.Select(e => new StatusError(e.At, e.Step, e.Message, e.Details)).ToList(),
            CreatedAt = run.CreatedAt,
            StartedAt = run.StartedAt,
            FinishedAt = run.FinishedAt,
            RollbackUntil = run.RollbackUntil,
            CleanedUp = run.CleanedUp,
        };
    }

    /// <summary>What the author's own progress said last holds while the run is held, too; it says nothing of what was undone.</summary>
    private static double? Percent(RunState state, double? authors) => state switch
    {
        RunState.Completed => 100,
        RunState.RollingBack or RunState.RolledBack => null,
        _ => authors,
    };

    private static double? Share(long part, long whole) => whole == 0 ? null : 100.0 * Math.Min(part, whole) / whole;

    private static StepStatus Step(PlannedStep planned, StepRecord record, RunProgress progress, bool isLive)
    {
        // Rows under way are what the server has read so far; they count when their step is done.
        var live = isLive && progress.Live.TryGetValue(planned.Index, out var rows) ? Math.Min(rows, planned.RowsTotal ?? rows) : 0;
        return new StepStatus(
            planned.Index,
            planned.Kind,
            planned.Node,
            record.State,
            planned.Description,
            record.State == StepState.Done ? record.RowsDone : live,
            planned.RowsTotal)
        {
            Operation = planned.Operation,
            Attempts = record.Attempts,
            StartedAt = record.StartedAt,
            FinishedAt = record.FinishedAt,
        };
    }
}
