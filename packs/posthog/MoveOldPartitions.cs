using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>0010: months of events that cannot be true, long past or in the future, go to a backup table, where queries do not meet them.</summary>
public sealed class MoveOldPartitions : PostHogMigration
{
    internal const string Key = "0010_move_old_partitions";

    private const string Backup = $"events_backup_{Key}";

    /// <inheritdoc/>
    public override string Name => Key;

    /// <inheritdoc/>
    public override string Description => "Months of events that are too old or in the future move to a backup table";

    /// <inheritdoc/>
    public override VersionWindow Versions => new("1.43.0", "1.50.0");

    /// <inheritdoc/>
    public override IReadOnlyList<string> DependsOn => [SpeedUpKafkaTimestampFilters.Key];

    /// <inheritdoc/>
    public override IReadOnlyList<ServiceRequirement> Requires => [ClickHouse(">=22.3")];

    /// <inheritdoc/>
    public override IReadOnlyList<MigrationCheck> Checks => [Check("leftovers", CheckScope.Precheck, (schema, _, _) => Task.FromResult(CheckAnswer.Require(
        schema.Find(Backup) is null, $"{schema.Name(Backup)} is there already: give it another name, or drop it, so that what is moved now can be told from what was moved before.")))];

    private protected override IReadOnlyList<Parameter> Own =>
    [
        new("oldest", ParameterType.Integer) { Default = "200001", Min = "197001", Max = "999912", Help = "The oldest month that stays, as YYYYMM." },
        new("newest", ParameterType.Integer) { Default = "0", Min = "0", Max = "999912", Help = "The newest month that stays, as YYYYMM; 0 for the one after the present one." },
        new("optimize", ParameterType.Boolean) { Default = "false", Help = "Whether the parts that stay are merged at the end." },
    ];

    private protected override async Task<Requirement> IsRequiredAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct)
    {
        if (schema.Events is not { } events)
        {
            return new Requirement(false, $"No rows of events are on {context.ClickHouse.Name}.");
        }

        var months = await MonthsAsync(schema, events, context, ct);
        return months.Count > 0
            ? new Requirement(true, $"{events.Name} has rows in {string.Join(", ", months.Take(5))}{(months.Count > 5 ? $" and {months.Count - 5} more months" : "")}.")
            : new Requirement(false, $"{events.Name} has no rows in months that are too old or too new.");
    }

    private protected override async Task<IReadOnlyList<Operation>> PlanAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct)
    {
        var events = schema.Events!;
        var backup = schema.Name(Backup);
        var twin = events.IsReplicated
            ? $"CREATE TABLE {backup.ToSql()} AS {events.Name.ToSql()} ENGINE = {events.EngineAt(PostHogTable.NewPath(backup))}"
            : $"CREATE TABLE {backup.ToSql()} AS {events.Name.ToSql()}";
        return
        [
            new CreateOperation(twin) { Scope = events.IsSharded ? NodeScope.EveryNode : NodeScope.One },
            .. (await MonthsAsync(schema, events, context, ct)).Select(month => Move(events, backup, month)),
            .. context.Parameters.Get<bool>("optimize") ? [new SqlOperation($"OPTIMIZE TABLE {events.Name.ToSql()} FINAL") { Undo = new([]), Scope = events.Scope }] : Array.Empty<Operation>(),
        ];
    }

    // Moving what is not there does nothing, so either direction may be sent twice, and on shards that have none of it.
    private static SqlOperation Move(PostHogTable events, QualifiedName backup, string month)
    {
        var partition = $"PARTITION ID {Sql.Literal(month)}";
        return new SqlOperation
        {
            Description = $"Move {month} of {events.Name} to {backup}",
            Forward = new([$"ALTER TABLE {events.Name.ToSql()} MOVE {partition} TO TABLE {backup.ToSql()}"]) { Repeatable = true },
            Undo = new([$"ALTER TABLE {backup.ToSql()} MOVE {partition} TO TABLE {events.Name.ToSql()}"]) { Repeatable = true },
            Scope = events.Scope,
        };
    }

    /// <summary>The months outside of the bounds, of all shards.</summary>
    private static async Task<IReadOnlyList<string>> MonthsAsync(PostHogSchema schema, PostHogTable events, MigrationContext context, CancellationToken ct)
    {
        var (oldest, newest) = (context.Parameters.Get<long>("oldest"), context.Parameters.Get<long>("newest"));
        var last = newest > 0 ? newest.ToString(CultureInfo.InvariantCulture) : "toYYYYMM(now() + INTERVAL 1 MONTH)";
        var months = await context.ClickHouse.QueryAsync(
            $"""
             SELECT DISTINCT partition_id FROM {schema.PartsOf(events)}
             WHERE database = {Sql.Literal(schema.Database)} AND table = {Sql.Literal(events.Name.Table)} AND active AND rows > 0
                 AND match(partition_id, '^[0-9]{"{6}"}$') AND (toUInt32OrZero(partition_id) < {oldest} OR toUInt32OrZero(partition_id) > {last})
             ORDER BY partition_id
             """,
            ct: ct);
        return months.Select(m => m["partition_id"]).ToList();
    }
}
