using Godwit.Plans;
using Godwit.Runs;

namespace Godwit.Metadata;

/// <summary>One execution of a plan, as the store keeps it.</summary>
public sealed record RunRecord
{
    /// <summary>Eight lower-case letters and digits; also part of the names of its helper tables and query ids.</summary>
    public required string RunId { get; init; }

    /// <summary>See <see cref="Plans.Plan.Migration"/>.</summary>
    public required string Migration { get; init; }

    /// <summary>See <see cref="Plans.Plan.Tables"/>.</summary>
    public required IReadOnlyList<string> Tables { get; init; }

    /// <summary>What it is about, in a few words: the migration's name, or the tables of a rebuild that was asked for by hand.</summary>
    public string Subject => Migration == Plan.ByHand ? string.Join(", ", Tables) : Migration;

    /// <summary>Whether it has come as far as its first step; one that was declined, refused at its start or called off before says nothing of its migration.</summary>
    public bool HasBegun => StartedAt is not null && State != RunState.FailedAtStartup;

    /// <summary>The server it runs against, host:port of the first node.</summary>
    public required string Instance { get; init; }

    /// <summary>See <see cref="Plans.Plan.Strategy"/>.</summary>
    public string? Strategy { get; init; }

    /// <summary>Where it is.</summary>
    public required RunState State { get; init; }

    /// <summary>When it was planned (UTC).</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its first step began (UTC).</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it came to its present final or completed state (UTC).</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Until when <c>rollback</c> is kept possible (UTC); null before the cutover and after the clean-up.</summary>
    public DateTimeOffset? RollbackUntil { get; init; }

    /// <summary>Whether the retired table and every other trace were removed after completion.</summary>
    public bool CleanedUp { get; init; }

    /// <summary>The sentence that says why it is not going on; null when it is.</summary>
    public string? Problem { get; init; }

    /// <summary>How a person wants it run, as JSON (see <c>RunOptions</c>).</summary>
    public required string Options { get; init; }

    /// <summary>The figures shown while it runs, as JSON (see <c>RunProgress</c>); null before the first.</summary>
    public string? Progress { get; init; }
}

/// <summary>Where a step is.</summary>
public enum StepState
{
    /// <summary>Not begun.</summary>
    Pending,

    /// <summary>Begun; it may or may not have changed a server.</summary>
    Running,

    /// <summary>Done.</summary>
    Done,

    /// <summary>Its last attempt failed; it may or may not have changed a server.</summary>
    Failed,

    /// <summary>It was done, or begun, and has been undone.</summary>
    Undone,
}

/// <summary>The state of one step of a run's plan.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Index">The step's place in the plan.</param>
/// <param name="State">Where it is.</param>
/// <param name="RowsDone">Rows that it has moved for good.</param>
/// <param name="Attempts">How often it was begun.</param>
public sealed record StepRecord(string RunId, int Index, StepState State, long RowsDone, int Attempts)
{
    /// <summary>When its last attempt began (UTC); null before the first.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it was done, failed or undone (UTC); null while it is at work.</summary>
    public DateTimeOffset? FinishedAt { get; init; }
}

/// <summary>The figures of a run at a moment, kept for the curves that people look at.</summary>
/// <param name="At">When (UTC).</param>
/// <param name="Rows">Rows of finished steps and of those under way.</param>
/// <param name="RowsPerSecond">Over the last half minute.</param>
/// <param name="LagSeconds">How old the newest row is that the new table is sure to hold, in seconds; null when none is followed.</param>
/// <param name="IsHeld">Whether a brake was on, or a person had paused it.</param>
public sealed record RunSample(DateTimeOffset At, long Rows, double RowsPerSecond, double? LagSeconds, bool IsHeld);

/// <summary>How fast a run may copy, as somebody said while it was under way.</summary>
/// <param name="RowsPerSecond">The most rows per second; null for no limit.</param>
public sealed record RowLimit(long? RowsPerSecond);

/// <summary>What a journal entry says.</summary>
public enum JournalEntryKind
{
    /// <summary>A statement that changes a server is about to be sent.</summary>
    Intent,

    /// <summary>The outcome of the intent of the same step and name is known.</summary>
    Outcome,

    /// <summary>The intent of the same step and name is known to have had no effect.</summary>
    Withdrawal,

    /// <summary>Something that was read from a server and that later steps stand on, such as a position.</summary>
    Fact,
}

/// <summary>One entry of a run's journal. Entries are only ever appended.</summary>
public sealed record JournalEntry
{
    /// <summary>Its number within the run, from 1; given by the store.</summary>
    public long Sequence { get; init; }

    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>The step's place in the plan.</summary>
    public required int Step { get; init; }

    /// <summary>What it says.</summary>
    public required JournalEntryKind Kind { get; init; }

    /// <summary>What it is about, such as <c>exchange</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The details, as JSON; never holds a secret.</summary>
    public required string Payload { get; init; }

    /// <summary>When it was written (UTC).</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>An error of a run, kept for people.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Step">The step's place in the plan; null when the run as a whole is meant.</param>
/// <param name="Message">One or two sentences.</param>
/// <param name="Details">The server's words, when there are any.</param>
/// <param name="At">When (UTC).</param>
public sealed record RunError(string RunId, int? Step, string Message, string? Details, DateTimeOffset At);

/// <summary>What a person asks of a run that another process owns.</summary>
public enum RunRequest
{
    /// <summary>Nothing is asked.</summary>
    None,

    /// <summary>Begin; a worker does.</summary>
    Start,

    /// <summary>Hold it; the owner stays.</summary>
    Pause,

    /// <summary>Go on after a pause.</summary>
    Resume,

    /// <summary>Kill its queries and let go of it; resumable.</summary>
    Stop,

    /// <summary>Let the names change hands now.</summary>
    CutOver,

    /// <summary>Undo its steps.</summary>
    Rollback,

    /// <summary>End the rollback window of a completed run.</summary>
    CleanUp,

    /// <summary>Say that its owner died, and leave it to a person.</summary>
    Abandon,
}

/// <summary>The right to write to a run, held by one process at a time.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Owner">The holder, as host:pid:nonce.</param>
/// <param name="Epoch">Grows with every holder; a write that carries an older one is refused.</param>
/// <param name="ExpiresAt">When it may be taken by another process unless renewed (UTC).</param>
public sealed record Lease(string RunId, string Owner, long Epoch, DateTimeOffset ExpiresAt);
