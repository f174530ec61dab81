using System.Text.Json.Serialization;
using Godwit.Runs;

namespace Godwit.Cli.Demo;

/// <summary>How the demo ended; what <c>godwit demo --output json</c> prints, in this shape.</summary>
internal sealed record DemoResult
{
    /// <summary>Where the run ended.</summary>
    public required RunState State { get; init; }

    /// <summary>Rows of the table before anybody wrote.</summary>
    public required long RowsBefore { get; init; }

    /// <summary>Rows that the writers were told are stored.</summary>
    public required long RowsWritten { get; init; }

    /// <summary>Rows of the table in the end.</summary>
    public required long RowsAfter { get; init; }

    /// <summary>Rows of before, or acknowledged ones, that are not there.</summary>
    public required long Lost { get; init; }

    /// <summary>Rows that are there once too often.</summary>
    public required long Duplicated { get; init; }

    /// <summary>Inserts that the server refused for good.</summary>
    public required long RefusedWrites { get; init; }

    /// <summary>Inserts that met the exchange of the names, were refused with nothing written, and were sent once more.</summary>
    public required long RetriedWrites { get; init; }

    /// <summary>How long the partitions were copied for, in seconds.</summary>
    public required double CopySeconds { get; init; }

    /// <summary>Rows copied in a second of these.</summary>
    public required double RowsPerSecond { get; init; }

    /// <summary>The longest time that a committed row could not be seen under the table's name: Godwit's upper bound.</summary>
    public required double VisibilityGapMs { get; init; }

    /// <summary>The longest time that the demo's own reader really missed an acknowledged row.</summary>
    public required double ReaderGapMs { get; init; }

    /// <summary>From the order to exchange the names to the end of the sweep.</summary>
    public required double CutoverMs { get; init; }

    /// <summary>The exchange of the names alone.</summary>
    public required double ExchangeMs { get; init; }

    /// <summary>99 of 100 inserts took no longer, before the rebuild began.</summary>
    public required double InsertP99MsBefore { get; init; }

    /// <summary>99 of 100 inserts took no longer, while the rebuild ran.</summary>
    public required double InsertP99MsDuring { get; init; }

    /// <summary>The query on the table as it was.</summary>
    public required QueryFigures QueryBefore { get; init; }

    /// <summary>The query on the table as it is.</summary>
    public required QueryFigures QueryAfter { get; init; }

    /// <summary>Some of the lost and duplicated rows, and of the refusals, in words.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>Whether the rebuild did what it promises.</summary>
    [JsonIgnore]
    public bool IsGood => State == RunState.Completed && Lost == 0 && Duplicated == 0 && RefusedWrites == 0;

    /// <summary>The exit code.</summary>
    public int ExitCode() => IsGood ? ExitCodes.Done : State == RunState.NeedsOperator ? ExitCodes.NeedsOperator : ExitCodes.Failed;
}
