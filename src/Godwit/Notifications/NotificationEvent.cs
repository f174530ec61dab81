using System.Text.Json.Serialization;
using Godwit.Runs;

namespace Godwit.Notifications;

/// <summary>What happened to a run. The names in quotes are what receivers get, and never change.</summary>
internal enum NotificationEvent
{
    [JsonStringEnumMemberName("test")]
    Test,

    [JsonStringEnumMemberName("started")]
    Started,

    [JsonStringEnumMemberName("paused")]
    Paused,

    [JsonStringEnumMemberName("resumed")]
    Resumed,

    [JsonStringEnumMemberName("awaitingCutover")]
    AwaitingCutover,

    [JsonStringEnumMemberName("completed")]
    Completed,

    [JsonStringEnumMemberName("failed")]
    Failed,

    [JsonStringEnumMemberName("needsOperator")]
    NeedsOperator,

    [JsonStringEnumMemberName("rollingBack")]
    RollingBack,

    [JsonStringEnumMemberName("rolledBack")]
    RolledBack,
}

/// <summary>The one table of what people are told.</summary>
internal static class NotificationEvents
{
    /// <summary>What a change of state means to people; null for what they need not know.</summary>
    public static NotificationEvent? Of(RunState before, RunState now) => (before, now) switch
    {
        _ when before == now => null,
        (RunState.Starting, RunState.Running) => NotificationEvent.Started,

        // Whoever let the names change hands is there to see it; the end of the run comes soon.
        (RunState.AwaitingCutover, RunState.Running) => null,
        (_, RunState.Running) => NotificationEvent.Resumed,
        (_, RunState.Paused) => NotificationEvent.Paused,
        (_, RunState.AwaitingCutover) => NotificationEvent.AwaitingCutover,
        (_, RunState.Completed) => NotificationEvent.Completed,
        (_, RunState.RollingBack) => NotificationEvent.RollingBack,
        (_, RunState.RolledBack) => NotificationEvent.RolledBack,
        (_, RunState.NeedsOperator) => NotificationEvent.NeedsOperator,
        (_, RunState.Failed or RunState.FailedAtStartup) => NotificationEvent.Failed,
        _ => null,
    };
}
