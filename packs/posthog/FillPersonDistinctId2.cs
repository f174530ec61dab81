using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>0003: <c>person_distinct_id2</c>, which holds one row for each distinct id, gets what the older table knows.</summary>
/// <remarks>
/// One team after the other, so that no query needs memory for all of them. The rows have version 0 and no time, so whatever PostHog has written wins over
/// them, and a rollback finds them. A team is done when none of its ids is missing: an INSERT that ended early is not taken for the whole.
/// </remarks>
public sealed class FillPersonDistinctId2 : PostHogMigration
{
    internal const string Key = "0003_fill_person_distinct_id2";

    private const string Fill = "fill";
    private const string SkipComment = "skip_0003_fill_person_distinct_id2";

    // Otherwise a replicated table would take the same rows for ones that it has had, when a migration is run again after a rollback.
    private static readonly Dictionary<string, string> EachInsertCounts = new(StringComparer.Ordinal) { ["insert_deduplicate"] = "0" };

    /// <inheritdoc/>
    public override string Name => Key;

    /// <inheritdoc/>
    public override string Description => "Distinct ids are looked up in a table that has each of them once";

    /// <inheritdoc/>
    public override VersionWindow Versions => new("1.33.0", "1.34.0");

    /// <inheritdoc/>
    public override IReadOnlyList<string> DependsOn => [EventsSampleBy.Key];

    /// <inheritdoc/>
    public override IReadOnlyList<MigrationCheck> Checks =>
    [
        Check("free-disk-for-a-copy", CheckScope.Precheck, (schema, context, ct) => DiskChecks.RequireTimesAsync(context, schema.Name("person_distinct_id"), 1, ct)),
        Check("free-disk", CheckScope.Healthcheck, (schema, context, ct) => DiskChecks.RequireLeastAsync(context, schema.Name("person_distinct_id2"), ct)),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<MigrationCode> Code => [new(Fill, FillAsync) { UndoAsync = EmptyAsync }];

    private protected override Task<Requirement> IsRequiredAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct) =>
        Task.FromResult((schema.Find("person_distinct_id"), schema.Find("person_distinct_id2")) switch
        {
            (null, _) => new Requirement(false, $"There is no {schema.Name("person_distinct_id")} to fill from."),
            (_, null) => new Requirement(false, $"There is no {schema.Name("person_distinct_id2")}: this PostHog is too old to use it."),
            (_, { } filled) when filled.Ddl.Contains(SkipComment, StringComparison.Ordinal) => new Requirement(false, $"A comment on {filled.Name} says {SkipComment}."),
            (_, { } filled) => new Requirement(true, $"No comment on {filled.Name} says that it was full from the first day."),
        });

    private protected override Task<IReadOnlyList<Operation>> PlanAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct) => Operations(
        new CodeOperation(Fill) { Arguments = new FillArguments(schema.Database), Description = "Fill person_distinct_id2, one team after the other" });

    private static async Task FillAsync(CodeContext context, CancellationToken ct)
    {
        var (from, to) = Tables(context);
        var done = context.FindCheckpoint<Filled>();
        var teams = await context.Migration.ClickHouse.QueryAsync(
            $"SELECT DISTINCT team_id FROM {from} {(done is null ? "" : $"WHERE team_id > {done.Team}")} ORDER BY team_id", new QueryOptions { Timeout = Timeout.InfiniteTimeSpan }, ct);
        foreach (var team in teams.Select(t => t.Int64("team_id")))
        {
            await context.PassBrakesAsync(ct);

            // Sent twice, it writes the same rows, of which merges leave one.
            await context.ExecuteAsync(
                $"""
                 INSERT INTO {to} (team_id, distinct_id, person_id, is_deleted, version, _timestamp)
                 SELECT {team}, distinct_id, argMax(person_id, seen), 0, 0, toDateTime(0) FROM ({Known(from, team)}) GROUP BY distinct_id
                 """,
                EachInsertCounts,
                ct);
            var rows = await RequireWholeAsync(context, from, to, team, ct);
            done = new Filled(team, (done?.Rows ?? 0) + rows);
            await context.CheckpointAsync(done);
            context.Report(done.Rows);
        }
    }

    private static async Task<long> RequireWholeAsync(CodeContext context, string from, string to, long team, CancellationToken ct)
    {
        var row = (await context.Migration.ClickHouse.QueryAsync(
            $"""
             SELECT toInt64(count()) AS ids, toInt64(countIf(distinct_id NOT IN (SELECT distinct_id FROM {to} WHERE team_id = {team}))) AS missing
             FROM (SELECT DISTINCT distinct_id FROM ({Known(from, team)}))
             """,
            new QueryOptions { Timeout = Timeout.InfiniteTimeSpan },
            ct))[0];
        return row.Int64("missing") == 0
            ? row.Int64("ids")
            : throw new InvalidOperationException($"Of {row["ids"]} distinct ids of team {team}, {row["missing"]} are not in {to} after it was filled. `resume` fills this team again.");
    }

    /// <summary>The pairs of a team that are not deleted, each with the time at which it was seen last.</summary>
    private static string Known(string from, long team) =>
        $"SELECT distinct_id, person_id, max(_timestamp) AS seen FROM {from} WHERE team_id = {team} GROUP BY distinct_id, person_id HAVING max(is_deleted) = 0";

    private static Task EmptyAsync(CodeContext context, CancellationToken ct) =>
        context.ExecuteAsync($"ALTER TABLE {Tables(context).To} DELETE WHERE version = 0 AND _timestamp = toDateTime(0)", Projections.Awaited, ct);

    private static (string From, string To) Tables(CodeContext context)
    {
        var database = context.Arguments<FillArguments>().Database;
        return (Sql.Table(database, "person_distinct_id"), Sql.Table(database, "person_distinct_id2"));
    }

    /// <summary>What the code is called with.</summary>
    /// <param name="Database">The database of both tables.</param>
    private sealed record FillArguments(string Database);

    /// <summary>How far it is.</summary>
    /// <param name="Team">The last team that is done.</param>
    /// <param name="Rows">Distinct ids so far.</param>
    private sealed record Filled(long Team, long Rows);
}
