using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Rebuild;

namespace Godwit.Pack.PostHog;

/// <summary>0002: <c>events</c> gets a sorting key with the event in it, and a sample by the person who did it.</summary>
/// <remarks>
/// The rebuild is Godwit's own: rows keep arriving while it copies, it compares both tables before the names change hands, and where Kafka feeds
/// the table, the feed is held for that moment alone. The old table is kept under another name, and duplicates are removed at the end.
/// </remarks>
public sealed class EventsSampleBy : PostHogMigration
{
    internal const string Key = "0002_events_sample_by";

    private const string SortingKey = "team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid)";
    private const string SecondConsumer = "second-consumer";
    private const string SamplingKey = "cityHash64(distinct_id)";

    /// <inheritdoc/>
    public override string Name => Key;

    /// <inheritdoc/>
    public override string Description => "Events are sorted by what they are, and sampled by who did it";

    /// <inheritdoc/>
    public override VersionWindow Versions => new("1.33.0", "1.34.0");

    /// <inheritdoc/>
    public override IReadOnlyList<string> DependsOn => [EventsSampleBySuperseded.Key];

    /// <inheritdoc/>
    public override IReadOnlyList<ServiceRequirement> Requires => [ClickHouse(">=18.16")];

    /// <inheritdoc/>
    public override IReadOnlyList<MigrationCheck> Checks =>
    [
        Check("free-disk-for-a-copy", CheckScope.Precheck, (schema, context, ct) => DiskChecks.RequireTimesAsync(context, schema.Name("events"), 1.5, ct)),
        Check("leftovers", CheckScope.Precheck, (schema, _, _) => Task.FromResult(Leftovers(schema))),
        Check("free-disk", CheckScope.Healthcheck, (schema, context, ct) => DiskChecks.RequireLeastAsync(context, schema.Name("events"), ct)),
    ];

    private protected override IReadOnlyList<Parameter> Own =>
    [
        new("strategy", ParameterType.Text)
        {
            Default = "auto",
            Choices = ["auto", .. RebuildRequest.Strategies],
            Help = "How the new table gets what arrives meanwhile; auto looks at what writes to events.",
        },
        new("accept", ParameterType.Text) { Default = "", Help = "Checks of the rebuild that you have read and accept, such as kafka-rebalances; several with blanks." },
        new("deduplicate", ParameterType.Boolean) { Default = "true", Help = "Whether duplicates are merged away at the end, one partition after the other." },
    ];

    private protected override Task<Requirement> IsRequiredAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct)
    {
        var events = schema.Find("events")!;
        return events.Engine == "Distributed"
            ? Task.FromResult(new Requirement(false, $"{events.Name} is Distributed: a sharded schema has the new key from its first day."))
            : Needed(
                !events.EngineFull.Contains($"ORDER BY ({SortingKey})", StringComparison.Ordinal),
                $"{events.Name} has another key than ({SortingKey}).",
                $"{events.Name} is sorted by ({SortingKey}) already.");
    }

    private protected override async Task<IReadOnlyList<Operation>> PlanAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct)
    {
        var events = schema.Find("events")!;
        var strategy = context.Parameters.Get<string>("strategy");
        var rebuild = new RebuildOperation(new RebuildRequest
        {
            Table = events.Name,
            OrderBy = $"({SortingKey})",
            SampleBy = SamplingKey,
            Strategy = strategy,

            // The form for hundreds of billions of rows: less is copied, and the merges at the end store the rest.
            MaterializeLater = strategy == SecondConsumer,

            // What makes two rows the same event is its uuid, in the old key as in the new one.
            Accept = ["key-identity", .. context.Parameters.Get<string>("accept").Split(' ', StringSplitOptions.RemoveEmptyEntries)],
        });
        var partitions = context.Parameters.Get<bool>("deduplicate") ? await PostHogSchema.PartitionsAsync(context.ClickHouse, events.Name, ct) : [];

        // A second consumer goes on to fill the old table, by the name that the run gave it, until the clean-up.
        var keeps = strategy != SecondConsumer;
        return
        [
            rebuild,
            .. keeps ? [RenameOperation.KeepOld(events.Name, Backup(schema))] : Array.Empty<Operation>(),
            .. partitions.Select(partition => Deduplicate(events, partition)),
            await CompareAsync(schema, events, keeps, context.ClickHouse, ct),
        ];
    }

    // What arrives while it runs is in both tables or in the new one alone, so only rows that were there before are counted.
    private static async Task<Operation> CompareAsync(PostHogSchema schema, PostHogTable events, bool keeps, ClickHouseGateway clickHouse, CancellationToken ct)
    {
        var arrived = await clickHouse.ScalarAsync<long>($"SELECT count() FROM system.columns WHERE database = {Sql.Literal(events.Name.Database)} AND table = {Sql.Literal(events.Name.Table)} AND name = '_timestamp'", ct: ct) > 0;
        var compare = keeps ? new CompareOperation(new ComparisonRequest(new TableOrPattern(Backup(schema)), new TableOrPattern(events.Name))) : CompareOperation.WithOld(events.Name);
        return compare with
        {
            Description = $"Compare {events.Name} with its old table by month, day and team",
            Request = compare.Request with
            {
                By = ["team_id"],
                Day = "timestamp",
                Id = "uuid",
                Where = arrived ? $"_timestamp < toDateTime({await clickHouse.ScalarAsync<long>("SELECT toUnixTimestamp(now())", ct: ct)})" : null,
            },
        };
    }

    private static SqlOperation Deduplicate(PostHogTable events, string partition) =>
        new($"OPTIMIZE TABLE {events.Name.ToSql()} PARTITION ID {Sql.Literal(partition)} FINAL{(events.IsReplacing ? "" : " DEDUPLICATE")}")
        {
            Description = $"Remove duplicates from partition {partition} of {events.Name}",
            Undo = new([]),
        };

    private static QualifiedName Backup(PostHogSchema schema) => schema.Name($"events_backup_{Key}");

    private static CheckAnswer Leftovers(PostHogSchema schema)
    {
        var left = new[] { "events_failed", Backup(schema).Table }.Where(t => schema.Find(t) is not null).Select(schema.Name).ToList();
        return CheckAnswer.Require(left.Count == 0, $"{string.Join(" and ", left)} is left of an earlier attempt: drop it, or give it another name, once nobody needs it.");
    }
}
