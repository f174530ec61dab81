using Godwit.Metadata;
using Godwit.Notifications;
using Godwit.Runs;
using Godwit.Tests.Metadata;

namespace Godwit.Tests.Notifications;

/// <summary>Notifications to send, and ways to send them that do not make tests wait.</summary>
internal static class NotifySamples
{
    public static Delivery Quick { get; } = new() { Pauses = [TimeSpan.Zero, TimeSpan.Zero], Variable = name => name == "SECRET" ? "S3CRET" : null };

    public static RunRecord Run(RunState state, string? problem = null, string migration = "0007_country", params string[] tables) =>
        StoreSamples.Run("k3f9a2b1", state: state) with { Migration = migration, Tables = tables, Problem = problem };

    public static Notification Failed(string migration = "0007_country", string problem = "The disk is full.") =>
        Notification.Of(NotificationEvent.Failed, RunState.Running, Run(RunState.Failed, problem, migration, "app.events"), StoreSamples.Noon);

    /// <summary>The one target of a setting.</summary>
    public static NotifyTarget Target(string written) => NotifyTargets.Read(written) is { Problems: [], Targets: [var only] }
        ? only
        : throw new ArgumentException(string.Join(' ', NotifyTargets.Read(written).Problems));
}
