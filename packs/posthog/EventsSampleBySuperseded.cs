using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>0001: what it was for is done by <see cref="EventsSampleBy"/>.</summary>
public sealed class EventsSampleBySuperseded : PostHogMigration
{
    internal const string Key = "0001_events_sample_by";

    /// <inheritdoc/>
    public override string Name => Key;

    /// <inheritdoc/>
    public override string Description => $"Superseded by {EventsSampleBy.Key}; it does nothing.";

    private protected override Task<Requirement> IsRequiredAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct) =>
        Task.FromResult(new Requirement(false, $"{EventsSampleBy.Key} does what it was for."));

    private protected override Task<IReadOnlyList<Operation>> PlanAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct) => Operations();
}
