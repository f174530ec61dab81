using Godwit.Metadata;
using Godwit.Runs;

namespace Godwit.Server.Pages;

/// <summary>A button of a run: what it asks for, and what it says before it does.</summary>
internal sealed record RunAction(string Name, string Icon, RunRequest Request)
{
    /// <summary>All of them, in their order on the page.</summary>
    public static IReadOnlyList<RunAction> All { get; } =
    [
        new("start", "play_arrow", RunRequest.Start),
        new("resume", "play_arrow", RunRequest.Resume),
        new("cutover", "swap_horiz", RunRequest.CutOver),
        new("pause", "pause", RunRequest.Pause),
        new("stop", "stop", RunRequest.Stop),
        new("limit", "speed", RunRequest.None),
        new("cleanup", "delete_sweep", RunRequest.CleanUp),
        new("rollback", "undo", RunRequest.Rollback),
    ];

    /// <summary>The button of that name; null when there is none.</summary>
    public static RunAction? Find(string name) => All.FirstOrDefault(a => a.Name == name);

    /// <summary>Whether it takes away what cannot be had back at once.</summary>
    public bool IsGrave => Request is RunRequest.Rollback or RunRequest.CleanUp;

    /// <summary>Whether it is what somebody most probably came for.</summary>
    public bool IsMain(RunModel model) => (Request, model.Status.State) switch
    {
        (RunRequest.Start, _) or (RunRequest.Resume, _) or (RunRequest.CutOver, _) => true,
        _ => false,
    };

    /// <summary>Whether it is there as the run is now.</summary>
    public bool IsOffered(RunModel model)
    {
        var state = model.Status.State;
        return Request switch
        {
            RunRequest.None => state is RunState.NotStarted or RunState.Starting or RunState.Running or RunState.Paused,

            // A run that somebody works on goes on already.
            RunRequest.Resume => model.Choices.Contains(RunRequest.Resume) && (state is RunState.Paused or RunState.Failed or RunState.NeedsOperator || (model.Status.Owner is null && state != RunState.NotStarted)),
            RunRequest.Start => model.Choices.Contains(RunRequest.Start) && !model.Status.IsQueued,

            // What goes forward is paused.
            RunRequest.Stop => model.Choices.Contains(RunRequest.Stop) && state is RunState.Completed or RunState.RollingBack,
            _ => model.Choices.Contains(Request),
        };
    }

    /// <summary>What stands on it.</summary>
    public string Label(RunModel model) => Request switch
    {
        RunRequest.Start => "Start",
        RunRequest.Resume => "Resume",
        RunRequest.CutOver => "Cut over",
        RunRequest.Pause => "Pause",
        RunRequest.Stop => "Stop",
        RunRequest.CleanUp => "Clean up",
        RunRequest.Rollback => "Roll back",
        _ => "Speed limit",
    };

    /// <summary>What will happen, in numbers.</summary>
    public IEnumerable<string> Consequences(RunModel model)
    {
        var status = model.Status;
        var done = status.Steps.Count(s => s.State == StepState.Done);
        var busy = status.Steps.Where(s => s.State == StepState.Running && s.RowsTotal is not null).ToList();
        var again = busy.Sum(s => s.RowsDone);
        switch (Request)
        {
            case RunRequest.Start:
                yield return $"It does {Plain.Count(status.Steps.Count)} steps on {Nodes(model)}{(status.RowsTotal > 0 ? $" and copies {Plain.Count(status.RowsTotal)} rows ({Plain.Bytes(status.BytesTotal)})" : "")}.";
                yield return status.StartHold is { } hold ? $"It does not begin at once: {hold}." : "It begins within seconds.";
                yield return "Writers and readers of the table go on as before.";
                break;
            case RunRequest.Pause:
                yield return $"Its statements on {Nodes(model)} are killed, and it waits until somebody resumes it. {done} of {status.Steps.Count} steps are done and stay so.";
                yield return busy.Count == 0
                    ? "No partition is being copied at this moment, so nothing is copied twice."
                    : $"{busy.Count} {(busy.Count == 1 ? "partition is" : "partitions are")} being copied; {(busy.Count == 1 ? "it begins" : "they begin")} anew then: {Plain.Count(again)} rows.";
                yield return "Writers are not held up. What they write meanwhile is brought over after the pause.";
                break;
            case RunRequest.Stop:
                yield return $"Its statements on {Nodes(model)} are killed, and whoever works on it lets go.";
                yield return status.State == RunState.Completed
                    ? "The run stays completed. Roll back and clean up can be asked for again."
                    : "Half a rollback stays as it is until somebody resumes it.";
                break;
            case RunRequest.Resume:
                yield return $"It goes on where it stopped: {done} of {status.Steps.Count} steps are done{(status.RowsTotal > 0 ? $", {Plain.Count(Math.Max(0, status.RowsTotal - status.RowsCopied))} rows are left" : "")}.";
                break;
            case RunRequest.CutOver:
                yield return $"{string.Join(" and ", model.Plan.Tables)} {(model.Plan.Tables.Count == 1 ? "changes" : "change")} hands with {(model.Plan.Tables.Count == 1 ? "its" : "their")} new definition. Readers and writers see the new one from then on; no name is ever missing.";
                yield return $"Rows that are written at that very moment may be invisible for about a second. {(status.LagSeconds is { } lag ? FormattableString.Invariant($"The new table is {lag:0.#} s behind.") : "")}".TrimEnd();
                yield return "After it there is a way back for as long as the rollback window is open.";
                break;
            case RunRequest.Rollback:
                yield return $"{done + status.Steps.Count(s => s.State is StepState.Running or StepState.Failed)} steps are undone, the newest first.";
                yield return status.State == RunState.Completed
                    ? "The old definition comes back with every row that was written since; that takes about as long as the cutover did."
                    : $"What was copied so far is dropped: {Plain.Count(status.RowsCopied)} rows. The table itself is not touched.";
                break;
            case RunRequest.CleanUp:
                yield return $"The old table is dropped{(status.BytesTotal > 0 ? $" ({Plain.Bytes(status.BytesTotal)} uncompressed)" : "")}. After that there is no way back.";
                yield return status.RollbackUntil is { } until ? $"The rollback window would be open until {Plain.Moment(until)}." : "The rollback window is over.";
                break;
            default:
                yield return $"Now: {(status.MaxRowsPerSecond is { } limit ? $"at most {Plain.Count(limit)} rows a second" : "no limit")}; it copies {Plain.Count((long)status.RowsPerSecond)} rows a second at this moment.";
                yield return busy.Count == 0
                    ? "It holds for every statement from now on."
                    : $"It holds for statements that begin from now on. {busy.Count} {(busy.Count == 1 ? "is" : "are")} under way and {(busy.Count == 1 ? "keeps" : "keep")} the present pace; pause and resume to begin {(busy.Count == 1 ? "it" : "them")} anew ({Plain.Count(again)} rows).";
                break;
        }
    }

    private static string Nodes(RunModel model) => string.Join(", ", model.Plan.Steps.Select(s => s.Node).Distinct(StringComparer.Ordinal).Take(4));
}
