using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>0011: the projection that 0008 has put on events goes again; the index does as much and costs less.</summary>
public sealed class DropProjection : PostHogMigration
{
    internal const string Key = "0011_drop_projection";

    /// <inheritdoc/>
    public override string Name => Key;

    /// <inheritdoc/>
    public override string Description => "Events lose a projection that is used no more";

    /// <inheritdoc/>
    public override VersionWindow Versions => new("1.43.0", "1.50.0");

    /// <inheritdoc/>
    public override IReadOnlyList<string> DependsOn => [MoveOldPartitions.Key];

    /// <inheritdoc/>
    public override IReadOnlyList<ServiceRequirement> Requires => [ClickHouse(">=22.3")];

    private protected override Task<Requirement> IsRequiredAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct) => schema.Events is { } events
        ? Needed(Projections.IsOn(events), $"{events.Name} has the projection {Projections.NameOn(events)}.", $"{events.Name} has no projection {Projections.NameOn(events)}.")
        : Task.FromResult(new Requirement(false, $"No rows of events are on {context.ClickHouse.Name}."));

    private protected override Task<IReadOnlyList<Operation>> PlanAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct)
    {
        var events = schema.Events!;
        return Operations(new SqlOperation
        {
            Description = $"Drop the projection {Projections.NameOn(events)}",
            Forward = new([Projections.Drop(events)]) { Repeatable = true, Settings = Projections.Awaited },
            Undo = new([Projections.Add(events), $"ALTER TABLE {events.Name.ToSql()} MATERIALIZE PROJECTION {Sql.Identifier(Projections.NameOn(events))}"]) { Repeatable = true, Settings = Projections.Awaited },
            Scope = events.Scope,
        });
    }
}
