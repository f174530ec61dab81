using System.Text.Json;

namespace Godwit.Plans;

/// <summary>
/// The frozen list of steps of one run. It is made once, shown before it runs, stored before the first step and never
/// recomputed for that run: a restart reads this record, not the tables as they are by then.
/// </summary>
public sealed record Plan
{
    /// <summary>The name that stands for a rebuild without a migration around it.</summary>
    public const string ByHand = "rebuild";

    /// <summary>The version of this format that this build writes and reads; a stored plan of another version is refused.</summary>
    public const int CurrentFormatVersion = 1;

    /// <summary>The format version of this plan.</summary>
    public int FormatVersion { get; init; } = CurrentFormatVersion;

    /// <summary>The id of the run that this plan is for: eight lower-case letters and digits.</summary>
    public required string RunId { get; init; }

    /// <summary>The migration that is run, by its name; <see cref="ByHand"/> for a rebuild that a person asked for without one.</summary>
    public required string Migration { get; init; }

    /// <summary>The values of the migration's parameters, as a person writes them; defaults filled in.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The tables that it rebuilds, as a person reads them (<c>db.table</c>).</summary>
    public required IReadOnlyList<string> Tables { get; init; }

    /// <summary>How new rows are caught meanwhile: <c>block-log</c>, <c>pause-feed</c>, <c>static</c>, <c>alter</c>; null when no table is rebuilt.</summary>
    public string? Strategy { get; init; }

    /// <summary>Why this way was taken, and what to know before it is; sentences for a person.</summary>
    public IReadOnlyList<string> Reasons { get; init; } = [];

    /// <summary>What the checks found that does not stop it and that somebody should know before it starts; sentences for a person.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The operations in order; each is a stretch of the steps.</summary>
    public required IReadOnlyList<PlannedOperation> Operations { get; init; }

    /// <summary>The steps in order.</summary>
    public required IReadOnlyList<PlannedStep> Steps { get; init; }
}

/// <summary>What the author of a migration wrote as one thing: a kind, what its steps share, and whether there is a way back.</summary>
public sealed record PlannedOperation
{
    /// <summary>What it does, a name that the operation catalog knows, such as <c>rebuild</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>One line for a person.</summary>
    public required string Description { get; init; }

    /// <summary>Whether there is no way back from its first change on.</summary>
    public bool Irreversible { get; init; }

    /// <summary>What its steps share, as JSON; its shape is known to the kind.</summary>
    public JsonElement Shared { get; init; }
}

/// <summary>The unit of a plan: a kind, its arguments and the node that it runs on.</summary>
public sealed record PlannedStep
{
    /// <summary>Its place in the plan, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The operation it belongs to: its place in <see cref="Plan.Operations"/>.</summary>
    public int Operation { get; init; }

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
