using Godwit.Metadata;

namespace Godwit.Runs;

/// <summary>What is known of a run at a moment; what <c>godwit status</c> prints, in this shape.</summary>
public sealed record RunStatus
{
    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>See <see cref="Plans.Plan.Migration"/>.</summary>
    public required string Migration { get; init; }

    /// <summary>The table that it rebuilds, as a person reads it, or several with commas; null when it rebuilds none.</summary>
    public string? Table { get; init; }

    /// <summary>Where it is.</summary>
    public required RunState State { get; init; }

    /// <summary>See <see cref="Plans.Plan.Strategy"/>.</summary>
    public string? Strategy { get; init; }

    /// <summary>The sentence that says why it is not going on; null when it is.</summary>
    public string? Problem { get; init; }

    /// <summary>What somebody asked for and neither its owner nor a worker has answered yet.</summary>
    public RunRequest Asked { get; init; }

    /// <summary>Whether it has not begun and waits for a worker.</summary>
    public bool IsQueued => State == RunState.NotStarted && Asked == RunRequest.Start;

    /// <summary>What keeps workers from starting it at this moment, in words; null when nothing does, or it has begun.</summary>
    public string? StartHold { get; init; }

    /// <summary>The most rows per second that it may copy; null for no limit.</summary>
    public long? MaxRowsPerSecond { get; init; }

    /// <summary>How old the newest row is that the new table is sure to hold, in seconds; null when none is followed.</summary>
    public double? LagSeconds { get; init; }

    /// <summary>The process that owns it, as host:pid:nonce; null when none does.</summary>
    public string? Owner { get; init; }

    /// <summary>Since when it has held what feeds its table (UTC), though no process works on it: nothing is read from Kafka until one does. Null otherwise.</summary>
    public DateTimeOffset? FeedHeldSince { get; init; }

    /// <summary>The steps in plan order.</summary>
    public required IReadOnlyList<StepStatus> Steps { get; init; }

    /// <summary>Rows copied so far: of finished chunks and, while it runs, of those under way.</summary>
    public long RowsCopied { get; init; }

    /// <summary>Rows that the plan copies; rows that arrive later come on top.</summary>
    public long RowsTotal { get; init; }

    /// <summary>Bytes (uncompressed) copied so far.</summary>
    public long BytesCopied { get; init; }

    /// <summary>Bytes (uncompressed) that the plan copies.</summary>
    public long BytesTotal { get; init; }

    /// <summary>How far it is, 0 to 100: by its author's reckoning where there is one, otherwise by rows, otherwise by steps.</summary>
    public double Percent { get; init; }

    /// <summary>Rows per second over the last half minute; 0 when nothing is being copied.</summary>
    public double RowsPerSecond { get; init; }

    /// <summary>Seconds until the copy is done at this rate; null when nobody can know.</summary>
    public long? EtaSeconds { get; init; }

    /// <summary>Why the run is held or slowed at this moment; null when it is not.</summary>
    public string? Brake { get; init; }

    /// <summary>The query id of a statement under way on the server; null when there is none.</summary>
    public string? CurrentQueryId { get; init; }

    /// <summary>What the run is doing, a few words for a person.</summary>
    public string? Activity { get; init; }

    /// <summary>The errors so far, oldest first.</summary>
    public required IReadOnlyList<StatusError> Errors { get; init; }

    /// <summary>When it was planned (UTC).</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its first step began (UTC).</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it came to its present final or completed state (UTC).</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Until when it can be rolled back with nothing lost (UTC).</summary>
    public DateTimeOffset? RollbackUntil { get; init; }

    /// <summary>Whether the retired table and all other traces are gone.</summary>
    public bool CleanedUp { get; init; }

    /// <summary>The measured facts of the cutover; null before it.</summary>
    public CutoverFigures? Cutover { get; init; }

    /// <summary>What its comparisons of tables have found, a sentence or two each; the counts are in the journal of their steps.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];
}

/// <summary>A step in a <see cref="RunStatus"/>.</summary>
/// <param name="Index">Its place in the plan, from 0.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Node">The node it runs on.</param>
/// <param name="State">Where it is.</param>
/// <param name="Description">One line for a person.</param>
/// <param name="RowsDone">Rows moved so far.</param>
/// <param name="RowsTotal">Rows to move; null when it moves none or nobody can know.</param>
public sealed record StepStatus(int Index, string Kind, string Node, StepState State, string Description, long RowsDone, long? RowsTotal)
{
    /// <summary>The operation it belongs to: its place in the plan, from 0.</summary>
    public int Operation { get; init; }

    /// <summary>How often it was begun.</summary>
    public int Attempts { get; init; }

    /// <summary>When its last attempt began (UTC); null before the first.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it was done, failed or undone (UTC); null while it is at work.</summary>
    public DateTimeOffset? FinishedAt { get; init; }
}

/// <summary>An error in a <see cref="RunStatus"/>.</summary>
/// <param name="At">When (UTC).</param>
/// <param name="Step">The step; null when the run as a whole is meant.</param>
/// <param name="Message">One or two sentences.</param>
/// <param name="Details">The server's words, when there are any.</param>
public sealed record StatusError(DateTimeOffset At, int? Step, string Message, string? Details);

/// <summary>The measured facts of a cutover.</summary>
/// <param name="ExchangeMs">How long EXCHANGE TABLES took, in milliseconds; null when the process that sent it died before it could tell.</param>
/// <param name="VisibilityGapMs">The longest time that a committed row could not be seen under the table's name, in milliseconds; null as above.</param>
/// <param name="SweptRows">Rows that writers still put into the old table and that were moved over.</param>
public sealed record CutoverFigures(double? ExchangeMs, double? VisibilityGapMs, long SweptRows)
{
    /// <summary>For how many seconds the feed was held; null when it was not.</summary>
    public double? PausedSeconds { get; init; }

    /// <summary>A duration as it is kept; null stays null.</summary>
    internal static double? Milliseconds(TimeSpan? time) => time is { } known ? Math.Round(known.TotalMilliseconds, 1) : null;
}
