using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Rebuild;

namespace Godwit.Pack.PostHog;

/// <summary>0005: of the rows of a person the one with the highest version is the right one, not the one that came last.</summary>
/// <remarks>
/// The engine changes under live writers, by Godwit's own rebuild; that of a replicated table by a twin. Rows that were merged away by their time, or came without their version, are then brought
/// from PostgreSQL, which has the truth: in batches along the id up to the highest one at that moment, counted on both sides.
/// </remarks>
public sealed class PersonReplacingByVersion : PostHogMigration
{
    internal const string Key = "0005_person_replacing_by_version";

    private const string Source = "source";

    // By this time a row shows that it was brought from PostgreSQL. It is older than any other, so where the time still decides, it decides for the others.
    private const string BroughtAt = "toDateTime('2020-01-01 00:00:00', 'UTC')";

    /// <inheritdoc/>
    public override string Name => Key;

    /// <inheritdoc/>
    public override string Description => "The newest version of a person wins, in whatever order its rows come";

    /// <inheritdoc/>
    public override VersionWindow Versions => new("1.38.0", "1.42.0");

    /// <inheritdoc/>
    public override IReadOnlyList<string> DependsOn => [ReplicatedSchema.Key];

    /// <inheritdoc/>
    public override IReadOnlyList<ServiceRequirement> Requires => [new(Service.PostgreSql, VersionRange.Parse(">=10"))];

    /// <inheritdoc/>
    public override IReadOnlyList<MigrationCheck> Checks =>
    [
        Check("free-disk-for-a-copy", CheckScope.Precheck, (schema, context, ct) => DiskChecks.RequireTimesAsync(context, schema.Name("person"), 2, ct)),
        Check("one-replica", CheckScope.Precheck, OneReplicaAsync),
        Check("leftovers", CheckScope.Precheck, (schema, _, _) => Task.FromResult(Leftovers(schema))),
        Check("free-disk", CheckScope.Healthcheck, (schema, context, ct) => DiskChecks.RequireLeastAsync(context, schema.Name("person"), ct)),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<MigrationCode> Code => PersonTwin.Code(BroughtAt);

    private protected override IReadOnlyList<Parameter> Own =>
    [
        new(Source, ParameterType.Text) { Default = "public.posthog_person", Help = "The table of persons in PostgreSQL, with its schema." },
        new("batchRows", ParameterType.Integer) { Default = "10000", Min = "1", Max = "1000000", Help = "How many persons are brought from PostgreSQL at a time." },
    ];

    private protected override Task<Requirement> IsRequiredAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct) => schema.Find("person") is { HasRows: true } person
        ? Needed(!person.EngineOnly.EndsWith("version)", StringComparison.Ordinal), $"{person.Name} has the engine {person.EngineOnly}.", $"{person.Name} has the engine {person.EngineOnly} already.")
        : Task.FromResult(new Requirement(false, $"There are no rows of {schema.Name("person")} here."));

    private protected override async Task<IReadOnlyList<Operation>> PlanAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct)
    {
        var (person, brought) = (schema.Find("person")!, Brought(schema));
        var types = (await context.ClickHouse.QueryAsync(
            $"SELECT name, type FROM system.columns WHERE database = {Sql.Literal(schema.Database)} AND table = 'person'", ct: ct)).ToDictionary(r => r["name"], r => r["type"], StringComparer.Ordinal);
        var hasVersion = !types.TryAdd("version", "UInt64");
        var columns = FromPostgreSql(types).Where(c => types.ContainsKey(c.Name)).ToDictionary(c => c.Name, c => c.Sql, StringComparer.Ordinal);
        return
        [
            .. person.IsReplicated ? new PersonTwin(schema, person).Replace(Backup(schema), hasVersion) : Rebuild(schema, person, hasVersion),
            new CreateOperation($"CREATE TABLE {brought.ToSql()} (number Int64, {string.Join(", ", columns.Keys.Select(c => $"{c} {types[c]}"))}) ENGINE = MergeTree ORDER BY number"),
            new CopyOperation(QualifiedName.Parse(context.Parameters.Get<string>(Source)), brought, "number")
            {
                Source = Service.PostgreSql,
                BatchRows = context.Parameters.Get<long>("batchRows"),
                Columns = new Dictionary<string, string>(columns, StringComparer.Ordinal) { ["number"] = "id" },
            },
            Add(person, brought, columns.Keys, types),
            new DropOperation(brought),
        ];
    }

    private static IReadOnlyList<Operation> Rebuild(PostHogSchema schema, PostHogTable person, bool hasVersion)
    {
        var rebuild = new RebuildRequest
        {
            Table = person.Name,
            Engine = "ReplacingMergeTree(version)",
            AddColumns = hasVersion ? [] : ["version UInt64"],
        };
        return [new RebuildOperation(rebuild), RenameOperation.KeepOld(person.Name, Backup(schema))];
    }

    /// <summary>What PostgreSQL has of a person, for the types of this installation.</summary>
    private static (string Name, string Sql)[] FromPostgreSql(Dictionary<string, string> types) =>
    [
        ("id", "uuid"),
        ("created_at", types.GetValueOrDefault("created_at", "").StartsWith("DateTime64", StringComparison.Ordinal) ? "created_at" : "date_trunc('second', created_at)"),
        ("team_id", "team_id"),
        ("properties", "properties::text"),
        ("is_identified", "is_identified::int"),
        ("version", "coalesce(version, 0)"),
    ];

    private static SqlOperation Add(PostHogTable person, QualifiedName brought, IEnumerable<string> columns, Dictionary<string, string> types)
    {
        List<(string Name, string Sql)> all = [.. columns.Select(c => (c, c)), .. new[] { ("is_deleted", "0"), ("_timestamp", BroughtAt), ("_offset", "0") }.Where(c => types.ContainsKey(c.Item1))];
        return new SqlOperation
        {
            Description = $"Add the persons of PostgreSQL to {person.Name}",

            // Sent twice, it writes the same versions of the same persons, of which merges leave one.
            Forward = new([$"INSERT INTO {person.Name.ToSql()} ({string.Join(", ", all.Select(c => c.Name))}) SELECT {string.Join(", ", all.Select(c => c.Sql))} FROM {brought.ToSql()}"]) { Repeatable = true },

            // To the old engine they are older than any row of the same person.
            Undo = new([]),
        };
    }

    private static QualifiedName Backup(PostHogSchema schema) => schema.Name($"person_backup_{Key}");

    private static QualifiedName Brought(PostHogSchema schema) => schema.Name("tmp_person_0005");

    private static async Task<CheckAnswer> OneReplicaAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct)
    {
        var replicas = await context.ClickHouse.ScalarAsync<long>(
            $"SELECT toInt64(max(total_replicas)) FROM system.replicas WHERE database = {Sql.Literal(schema.Database)} AND table = 'person'", ct: ct);
        return CheckAnswer.Require(
            replicas <= 1, $"{schema.Name("person")} has {replicas} replicas, and the names of all would have to change hands at once: drop it on the other nodes, and give them the new one when this is done.");
    }

    private static CheckAnswer Leftovers(PostHogSchema schema)
    {
        var left = new[] { Backup(schema), Brought(schema), PersonTwin.Name(schema) }.Where(t => schema.Find(t.Table) is not null).ToList();
        return CheckAnswer.Require(left.Count == 0, $"{string.Join(" and ", left)} is left of an earlier attempt: drop it, or give it another name, once nobody needs it.");
    }
}
