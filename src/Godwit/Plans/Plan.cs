using System.Text.Json;

namespace Godwit.Plans;

/// <summary>
/// The frozen list of steps of one run. It is made once, shown before it runs, stored before the first step and never
/// recomputed for that run: a restart reads this record, not the tables as they are by then.
/// </summary>
public sealed record Plan
{
    /// <summary>The version of this format that this build writes and reads; a stored plan of another version is refused.</summary>
    public const int CurrentFormatVersion = 1;

    /// <summary>The format version of this plan.</summary>
    public int FormatVersion { get; init; } = CurrentFormatVersion;

    /// <summary>The id of the run that this plan is for: eight lower-case letters and digits.</summary>
    public required string RunId { get; init; }

    /// <summary>What is done: <c>rebuild</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The table that the plan is about, as a person reads it (<c>db.table</c>).</summary>
    public required string Table { get; init; }

    /// <summary>How new rows are caught meanwhile: <c>block-log</c>, <c>static</c>, <c>alter</c> …</summary>
    public required string Strategy { get; init; }

    /// <summary>Why this way was taken, and what to know before it is; sentences for a person.</summary>
    public IReadOnlyList<string> Reasons { get; init; } = [];

    /// <summary>What all steps share, as JSON; its shape is known to the steps of this <see cref="Kind"/>.</summary>
    public required JsonElement Shared { get; init; }

    /// <summary>The steps in order.</summary>
    public required IReadOnlyList<PlannedStep> Steps { get; init; }
}

/// <summary>The unit of a plan: a kind, its arguments and the node that it runs on.</summary>
public sealed record PlannedStep
{
    /// <summary>Its place in the plan, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>What it does, a name that the step catalog knows, such as <c>copy-partition</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The node it runs on, as host:port.</summary>
    public required string Node { get; init; }

    /// <summary>One line for a person.</summary>
    public required string Description { get; init; }

    /// <summary>The arguments, as JSON; their shape is known to the step's kind.</summary>
    public JsonElement Arguments { get; init; }

    /// <summary>How many rows it moves; null when it moves none, or nobody can know yet.</summary>
    public long? RowsTotal { get; init; }

    /// <summary>How many bytes (uncompressed) it moves; null when it moves none, or nobody can know yet.</summary>
    public long? BytesTotal { get; init; }
}
