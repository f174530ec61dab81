using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>0008: projections and indexes over the time at which Kafka's messages arrived, so that queries by it need not read everything.</summary>
public sealed class SpeedUpKafkaTimestampFilters : PostHogMigration
{
    internal const string Key = "0008_speed_up_kafka_timestamp_filters";

    private static readonly string[] WithProjection = ["events", "session_recording_events", "person", "person_distinct_id2"];
    private static readonly string[] WithIndex = ["events", "events_dead_letter_queue"];

    /// <inheritdoc/>
    public override string Name => Key;

    /// <inheritdoc/>
    public override string Description => "Queries by the time of arrival use a projection or an index";

    /// <inheritdoc/>
    public override VersionWindow Versions => new("1.42.0", "1.46.0");

    /// <inheritdoc/>
    public override IReadOnlyList<string> DependsOn => [PersonsAndGroupsOnEvents.Key];

    /// <inheritdoc/>
    public override IReadOnlyList<ServiceRequirement> Requires => [ClickHouse(">=22.3")];

    /// <inheritdoc/>
    public override IReadOnlyList<MigrationCheck> Checks =>
    [
        Check("free-disk", CheckScope.Healthcheck, (schema, context, ct) => DiskChecks.RequireLeastAsync(context, (schema.Events ?? schema.Find("events")!).Name, ct)),
    ];

    private protected override Task<Requirement> IsRequiredAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct) => schema.Events is { } events
        ? Needed(!events.Ddl.Contains(IndexOn(events), StringComparison.Ordinal), $"{events.Name} has no index {IndexOn(events)}.", $"{events.Name} has the index {IndexOn(events)}.")
        : Task.FromResult(new Requirement(false, $"No rows of events are on {context.ClickHouse.Name}."));

    private protected override async Task<IReadOnlyList<Operation>> PlanAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct)
    {
        var hasMode = await Projections.HasModeAsync(context, ct);
        return
        [
            .. WithProjection.Select(schema.RowsOf).OfType<PostHogTable>().Where(t => !Projections.IsOn(t)).SelectMany(t => Projections.Create(t, hasMode)),
            .. WithIndex.Select(schema.RowsOf).OfType<PostHogTable>().SelectMany(AddIndex),
        ];
    }

    private static IEnumerable<Operation> AddIndex(PostHogTable table)
    {
        var (alter, index) = ($"ALTER TABLE {table.Name.ToSql()}", Sql.Identifier(IndexOn(table)));
        yield return new SqlOperation
        {
            Description = $"Add the index {IndexOn(table)}",
            Forward = new([$"{alter} ADD INDEX IF NOT EXISTS {index} _timestamp TYPE minmax GRANULARITY 3"]) { Repeatable = true },
            Undo = new([$"{alter} DROP INDEX IF EXISTS {index}"]) { Repeatable = true, Settings = Projections.Awaited },
            Scope = table.Scope,
        };
        yield return new MutationOperation(table.Name, $"MATERIALIZE INDEX {index}") { Undo = "", Scope = table.Scope };
    }

    private static string IndexOn(PostHogTable table) => $"kafka_timestamp_minmax_{table.Name.Table}";
}
