using System.Globalization;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Runs;

namespace Godwit.Notifications;

/// <summary>
/// What receivers are told: as it is for a webhook, in words for people. It holds what <c>godwit status</c> shows and never a secret;
/// problems come from the store, where the secrets of statements are masked.
/// </summary>
internal sealed record Notification
{
    // Enough for a sentence and a server's words; chats refuse long messages.
    private const int LongestProblem = 2000;

    /// <summary>What happened.</summary>
    public required NotificationEvent Event { get; init; }

    /// <summary>The run; null in a test.</summary>
    public string? RunId { get; init; }

    /// <summary>See <see cref="Plan.Migration"/>.</summary>
    public string? Migration { get; init; }

    /// <summary>See <see cref="Plan.Tables"/>.</summary>
    public IReadOnlyList<string> Tables { get; init; } = [];

    /// <summary>The server, host:port.</summary>
    public string? Instance { get; init; }

    /// <summary>Where the run is by now.</summary>
    public RunState? State { get; init; }

    /// <summary>Where it was before; the same when what a person asked for failed and the run stayed as it was.</summary>
    public RunState? PreviousState { get; init; }

    /// <summary>Why it does not go on; null when it does.</summary>
    public string? Problem { get; init; }

    /// <summary>One sentence for people.</summary>
    public required string Message { get; init; }

    /// <summary>What can be done next, with the commands to type; null when there is nothing to do.</summary>
    public string? Next { get; init; }

    /// <summary>When it happened (UTC).</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Tells of a run.</summary>
    public static Notification Of(NotificationEvent what, RunState before, RunRecord run, DateTimeOffset at)
    {
        var subject = run.Migration == Plan.ByHand ? $"Rebuild of {run.Subject}" : $"Migration {run.Migration}";
        return new Notification
        {
            Event = what,
            RunId = run.RunId,
            Migration = run.Migration,
            Tables = run.Tables,
            Instance = run.Instance,
            State = run.State,
            PreviousState = before,
            Problem = run.Problem is { Length: > 0 } problem ? ForeignText.Clean(problem, LongestProblem) : null,
            Message = $"{ForeignText.Line(subject)} {Became(what, run.State)} on {ForeignText.Line(run.Instance)} (run {run.RunId}).",
            Next = NextOf(what, run),
            At = at,
        };
    }

    /// <summary>Tells of nothing, to see whether it arrives.</summary>
    public static Notification Test(string who, DateTimeOffset at) => new()
    {
        Event = NotificationEvent.Test,
        Message = $"This is a test of Godwit's notifications by {ForeignText.Line(who)}.",
        At = at,
    };

    private static string Became(NotificationEvent what, RunState now) => (what, now) switch
    {
        (NotificationEvent.Started, _) => "has started",
        (NotificationEvent.Paused, _) => "is paused",
        (NotificationEvent.Resumed, _) => "goes on",
        (NotificationEvent.AwaitingCutover, _) => "waits for its cutover",
        (NotificationEvent.Completed, _) => "is completed",
        (NotificationEvent.NeedsOperator, _) => "needs an operator",
        (NotificationEvent.RollingBack, _) => "is being rolled back",
        (NotificationEvent.RolledBack, _) => "was rolled back",
        (_, RunState.FailedAtStartup) => "was refused before its first step",
        (_, RunState.Failed) => "has failed",
        _ => $"could not do what was asked of it, and stays {now},",
    };

    private static string? NextOf(NotificationEvent what, RunRecord run) => (what, run.State) switch
    {
        (_, RunState.FailedAtStartup) => "Nothing was changed. Mend what is said, then start it again.",
        (NotificationEvent.Failed, RunState.Failed) =>
            $"`godwit errors {run.RunId}` shows more; `godwit resume {run.RunId}` tries again, `godwit rollback {run.RunId}` undoes it.",
        (NotificationEvent.Failed, _) => $"`godwit status {run.RunId}` shows what can be done.",
        (NotificationEvent.NeedsOperator, _) =>
            $"See `godwit errors {run.RunId}`, look at the server, then `godwit resume {run.RunId}` or `godwit rollback {run.RunId}`.",
        (NotificationEvent.Paused, _) => $"`godwit resume {run.RunId}` goes on; `godwit rollback {run.RunId}` undoes it.",
        (NotificationEvent.AwaitingCutover, _) => $"`godwit cutover {run.RunId}` lets it go on; `godwit rollback {run.RunId}` undoes it.",
        (NotificationEvent.Completed, _) when run is { RollbackUntil: { } until, CleanedUp: false } => string.Create(
            CultureInfo.InvariantCulture,
            $"`godwit rollback {run.RunId}` undoes it until {until.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC; `godwit cleanup {run.RunId}` ends that sooner."),
        _ => null,
    };
}
