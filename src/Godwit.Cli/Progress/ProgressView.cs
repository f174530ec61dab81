using Godwit.Cli.Rendering;
using Godwit.Metadata;
using Godwit.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Godwit.Cli.Progress;

/// <summary>One picture of the moving display: the whole, what is being done, and the copies under way. Never higher than the terminal.</summary>
internal static class ProgressView
{
    // Heading, bar, figures, activity, brake, note, heading of the table, and a line for the cursor.
    private const int OtherLines = 8;
    private const int LongestBar = 60;

    /// <summary>Draws it.</summary>
    public static IRenderable Of(RunStatus status, int width, int height, string? note)
    {
        List<IRenderable> lines =
        [
            Line($"{status.RunId} · {status.Table ?? status.Migration} · {status.State}", Look.Of(status.State)),
            Line($"{Bar((long)(status.Percent * 10), 1000, Math.Min(LongestBar, width - 10))} {Plain.Percent((long)(status.Percent * 10), 1000)}", Look.Good),
            Line(status.RowsTotal > 0 ? StatusView.Copied(status) : $"{status.Steps.Count(s => s.State == StepState.Done)} of {status.Steps.Count} steps"),
            Line(status.State == RunState.AwaitingCutover ? StatusView.Next(status) : status.Activity ?? ""),
        ];
        if (status.Brake is { } brake)
        {
            lines.Add(Line($"Brake: {brake}", Look.Warn));
        }

        if (note is not null)
        {
            lines.Add(Line(note, Look.Warn));
        }

        var copies = Copies(status.Steps, Math.Max(0, height - OtherLines));
        return copies.Count == 0 ? new Rows(lines) : new Rows([.. lines, Table(copies)]);
    }

    /// <summary>The copies under way, then those that ended last, in plan order.</summary>
    internal static IReadOnlyList<StepStatus> Copies(IReadOnlyList<StepStatus> steps, int most)
    {
        List<StepStatus> running = [];
        Queue<StepStatus> ended = [];
        foreach (var step in steps)
        {
            if (step.RowsTotal is not null && step.State == StepState.Running && running.Count < most)
            {
                running.Add(step);
            }
            else if (step.RowsTotal is not null && step.State is StepState.Done or StepState.Failed)
            {
                ended.Enqueue(step);
                if (ended.Count > most)
                {
                    ended.Dequeue();
                }
            }
        }

        return [.. ended.TakeLast(most - running.Count).Concat(running).OrderBy(s => s.Index)];
    }

    private static Table Table(IReadOnlyList<StepStatus> copies)
    {
        var table = Look.Bare("Step", "", "Rows", "State");
        foreach (var copy in copies)
        {
            table.AddRow(
                Line($"{copy.Index + 1}"),
                Line($"{Bar(copy.RowsDone, copy.RowsTotal ?? 0, 12)} {copy.Description}"),
                Line($"{Plain.Count(copy.RowsDone)} of {Plain.Count(copy.RowsTotal ?? 0)}"),
                Line(Plain.Word(copy.State), copy.State == StepState.Failed ? Look.Bad : Look.Quiet));
        }

        return table;
    }

    // A line that is too long is cut: were it wrapped, the display would grow beyond the terminal and leave rags behind.
    private static Text Line(string text, Style? style = null) =>
        Look.Words(text.ReplaceLineEndings(" "), style).Overflow(Overflow.Ellipsis);

    private static string Bar(long done, long total, int length)
    {
        var full = (int)(Plain.Share(done, total) * Math.Max(0, length));
        return new string('█', full) + new string('░', Math.Max(0, length) - full);
    }
}
