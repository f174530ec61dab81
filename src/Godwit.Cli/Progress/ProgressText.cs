using Godwit.Cli.Rendering;
using Godwit.Metadata;
using Godwit.Runs;

namespace Godwit.Cli.Progress;

/// <summary>Progress in words.</summary>
internal static class ProgressText
{
    /// <summary>What is said when the first Ctrl-C comes.</summary>
    public const string Stopping = "Stopping: queries are being killed; Ctrl-C once more ends at once.";

    /// <summary>One line.</summary>
    public static string Line(RunStatus status)
    {
        List<string> parts = [$"{status.RunId} {status.State}"];
        if (status.Activity is { Length: > 0 } activity)
        {
            parts.Add(activity);
        }

        if (status.RowsTotal > 0)
        {
            parts.Add(StatusView.Copied(status));
        }
        else if (status.Steps.Count > 1)
        {
            parts.Add($"{status.Steps.Count(s => s.State == StepState.Done)} of {status.Steps.Count} steps ({Plain.Percent((long)(status.Percent * 10), 1000)})");
        }

        if (status.Brake is { Length: > 0 } brake)
        {
            parts.Add($"brake: {brake}");
        }

        if (status.Problem is { Length: > 0 } problem)
        {
            parts.Add(problem);
        }

        if (status.State == RunState.AwaitingCutover)
        {
            parts.Add(StatusView.Next(status));
        }

        return Plain.Clean(string.Join(" · ", parts)).ReplaceLineEndings(" ");
    }
}
