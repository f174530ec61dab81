using Godwit.Runs;

namespace Godwit.Cli.Demo;

/// <summary>What the demo found; with <c>--output json</c> its one document.</summary>
internal sealed record DemoResult
{
    public required RunState State { get; init; }

    public required long RowsBefore { get; init; }

    public required long RowsWritten { get; init; }

    public required long RowsAfter { get; init; }

    public required long Lost { get; init; }

    public required long Duplicated { get; init; }

    public required int RefusedWrites { get; init; }

    public required int RetriedWrites { get; init; }

    public required double CopySeconds { get; init; }

    public required double RowsPerSecond { get; init; }

    public required double VisibilityGapMs { get; init; }

    public required double CutoverMs { get; init; }

    public required double InsertP99MsBefore { get; init; }

    public required double InsertP99MsDuring { get; init; }

    public required long QueryRowsBefore { get; init; }

    public required long QueryRowsAfter { get; init; }

    public required double QueryMsBefore { get; init; }

    public required double QueryMsAfter { get; init; }

    /// <summary>Whether everything that was promised was kept.</summary>
    public bool IsGood() => State == RunState.Completed && Lost == 0 && Duplicated == 0 && RefusedWrites == 0;
}
