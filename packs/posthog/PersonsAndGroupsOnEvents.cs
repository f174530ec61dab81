using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>0007: events from before PostHog wrote persons and groups on them get these too.</summary>
/// <remarks>
/// The values come from dictionaries over copies of the tables of persons, distinct ids and groups, which stand still while events are changed. The copies are
/// links, and so is the copy of events that a rollback asks which rows had no person: changing a few columns leaves the files of all others as they are. Each
/// partition is a mutation of its own, so that as much disk is needed as one of them takes.
/// </remarks>
public sealed class PersonsAndGroupsOnEvents : PostHogMigration
{
    internal const string Key = "0007_persons_and_groups_on_events_backfill";

    private const string Accepted = "accepted";

    /// <inheritdoc/>
    public override string Name => Key;

    /// <inheritdoc/>
    public override string Description => "Old events get the properties of their persons and groups";

    /// <inheritdoc/>
    public override VersionWindow Versions => new("1.40.0", "1.42.0");

    /// <inheritdoc/>
    public override IReadOnlyList<string> DependsOn => [PersonReplacingByVersion.Key];

    /// <inheritdoc/>
    public override IReadOnlyList<ServiceRequirement> Requires => [ClickHouse(">=22.3")];

    /// <inheritdoc/>
    public override IReadOnlyList<MigrationCheck> Checks =>
    [
        Check("free-disk-for-the-columns", CheckScope.Precheck, (schema, context, ct) => DiskChecks.RequireTimesAsync(context, EventsOf(schema).Name, 2, ct)),
        Check("leftovers", CheckScope.Precheck, (schema, _, _) => Task.FromResult(BackfillParts.Leftovers(schema))),
        Check("free-disk", CheckScope.Healthcheck, (schema, context, ct) => DiskChecks.RequireLeastAsync(context, EventsOf(schema).Name, ct)),
        Check("filled", CheckScope.Postcheck, FilledAsync),
    ];

    private protected override IReadOnlyList<Parameter> Own =>
    [
        new("personCacheSize", ParameterType.Integer) { Default = "5000000", Min = "1000", Max = "1000000000", Help = "How many persons the dictionary keeps in memory." },
        new("distinctIdCacheSize", ParameterType.Integer) { Default = "5000000", Min = "1000", Max = "1000000000", Help = "How many distinct ids the dictionary keeps in memory." },
        new("groupCacheSize", ParameterType.Integer) { Default = "1000000", Min = "1000", Max = "1000000000", Help = "How many groups the dictionary keeps in memory." },
        new("from", ParameterType.Timestamp) { Default = "2020-01-01T00:00:00Z", Help = "Events from this moment on are filled." },
        new("to", ParameterType.Timestamp) { Default = "2100-01-01T00:00:00Z", Help = "Events before this moment are filled." },
        new("team", ParameterType.Integer) { Default = "0", Min = "0", Help = "The team whose events are filled; 0 for all." },
        new(Accepted, ParameterType.Number) { Default = "0.01", Min = "0", Max = "1", Help = "The share of events that may be without a person at the end; 1 asks nothing." },
        new("collection", ParameterType.Text) { Default = "", Help = "A named collection with the login by which dictionaries read from this server; the user default without a password when nothing is said." },
    ];

    private protected override async Task<Requirement> IsRequiredAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct)
    {
        if (schema.Events is not { } events || !events.Ddl.Contains("`person_properties`", StringComparison.Ordinal))
        {
            return new Requirement(false, "No events here have columns for persons: PostHog adds them with 1.40.");
        }

        var rows = await context.ClickHouse.QueryAsync(
            $"SELECT 1 FROM {events.Name.ToSql()} WHERE {Backfill(schema, context).Lacking} LIMIT 1", new QueryOptions { Timeout = Timeout.InfiniteTimeSpan }, ct);
        return rows.Count > 0
            ? new Requirement(true, $"{events.Name} has events without a person.")
            : new Requirement(false, $"All events of {events.Name} have a person.");
    }

    private protected override async Task<IReadOnlyList<Operation>> PlanAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct)
    {
        var parts = Backfill(schema, context);

        // Months that lie outside of the bounds are left alone.
        var partitions = await context.ClickHouse.QueryAsync(
            $"""
             SELECT DISTINCT partition_id FROM {schema.PartsOf(parts.Events)}
             WHERE database = {Sql.Literal(schema.Database)} AND table = {Sql.Literal(parts.Events.Name.Table)} AND active AND rows > 0
                 AND (NOT match(partition_id, '^[0-9]{"{6}"}$') OR toUInt32OrZero(partition_id) BETWEEN toYYYYMM({Moment(context, "from")}) AND toYYYYMM({Moment(context, "to")}))
             ORDER BY partition_id
             """,
            ct: ct);
        return [.. parts.Prepare(), .. partitions.Select(p => parts.Fill(p["partition_id"])), .. parts.CleanUp()];
    }

    private static string Moment(MigrationContext context, string parameter) =>
        $"toDateTime64('{context.Parameters.Get<DateTimeOffset>(parameter).UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}', 6, 'UTC')";

    private static PostHogTable EventsOf(PostHogSchema schema) => schema.Events ?? throw new InvalidOperationException("This server has no rows of events.");

    private static BackfillParts Backfill(PostHogSchema schema, MigrationContext context)
    {
        var values = context.Parameters;
        var team = values.Get<long>("team");
        return new BackfillParts(schema, EventsOf(schema))
        {
            Bounds = $"timestamp >= {Moment(context, "from")} AND timestamp < {Moment(context, "to")}{(team > 0 ? $" AND team_id = {team}" : "")}",
            PersonCache = values.Get<long>("personCacheSize"),
            DistinctIdCache = values.Get<long>("distinctIdCacheSize"),
            GroupCache = values.Get<long>("groupCacheSize"),
            Collection = values.Get<string>("collection"),
        };
    }

    private static async Task<CheckAnswer> FilledAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct)
    {
        var accepted = (double)context.Parameters.Get<decimal>(Accepted);
        var parts = Backfill(schema, context);
        var sample = parts.Events.EngineFull.Contains("SAMPLE BY", StringComparison.Ordinal) ? " SAMPLE 10000000" : "";
        var share = accepted >= 1 ? 0 : await context.ClickHouse.ScalarAsync<double>(
            $"SELECT countIf(person_id = {BackfillParts.NoPerson}) / greatest(count(), 1) FROM {parts.Events.Name.ToSql()}{sample} WHERE {parts.Bounds}",
            new QueryOptions { Timeout = Timeout.InfiniteTimeSpan },
            ct);
        return CheckAnswer.Require(
            share <= accepted,
            string.Create(CultureInfo.InvariantCulture, $"{share:P2} of the events of {parts.Events.Name} have no person, and {accepted:P2} are accepted: their distinct ids are not in person_distinct_id2. `rollback`, or run it with --set {Accepted}=… if that is as it should be."));
    }
}
