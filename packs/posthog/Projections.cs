using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>The projection by which the newest message of Kafka in a table is found at once, and how it comes and goes.</summary>
internal static class Projections
{
    private const string ModeSetting = "deduplicate_merge_projection_mode";

    /// <summary>Statements that wait for what they start in the background.</summary>
    public static IReadOnlyDictionary<string, string> Awaited { get; } = new Dictionary<string, string>(StringComparer.Ordinal) { ["mutations_sync"] = "2" };

    /// <summary>The projection's name on a table.</summary>
    public static string NameOn(PostHogTable table) => $"fast_max_kafka_timestamp_{table.Name.Table}";

    /// <summary>Whether a table has it.</summary>
    public static bool IsOn(PostHogTable table) => table.Ddl.Contains(NameOn(table), StringComparison.Ordinal);

    /// <summary>What adds it.</summary>
    public static string Add(PostHogTable table) => $"ALTER TABLE {table.Name.ToSql()} ADD PROJECTION IF NOT EXISTS {Sql.Identifier(NameOn(table))} (SELECT max(_timestamp))";

    /// <summary>What drops it.</summary>
    public static string Drop(PostHogTable table) => $"ALTER TABLE {table.Name.ToSql()} DROP PROJECTION IF EXISTS {Sql.Identifier(NameOn(table))}";

    /// <summary>Adds it and fills it.</summary>
    /// <param name="table">The table.</param>
    /// <param name="hasMode">See <see cref="HasModeAsync"/>.</param>
    public static IEnumerable<Operation> Create(PostHogTable table, bool hasMode)
    {
        // A table whose merges remove rows must say what becomes of its projections then; older servers keep them right without being told.
        var setsMode = hasMode && table.Engine is not ("MergeTree" or "ReplicatedMergeTree") && !table.EngineFull.Contains(ModeSetting, StringComparison.Ordinal);
        string[] mode = setsMode ? [$"ALTER TABLE {table.Name.ToSql()} MODIFY SETTING {ModeSetting} = 'rebuild'"] : [];
        string[] noMode = setsMode ? [$"ALTER TABLE {table.Name.ToSql()} RESET SETTING {ModeSetting}"] : [];
        yield return new SqlOperation
        {
            Description = $"Add the projection {NameOn(table)}",
            Forward = new([.. mode, Add(table)]) { Repeatable = true },
            Undo = new([Drop(table), .. noMode]) { Repeatable = true, Settings = Awaited },
            Scope = table.Scope,
        };
        yield return new MutationOperation(table.Name, $"MATERIALIZE PROJECTION {Sql.Identifier(NameOn(table))}") { Undo = "", Scope = table.Scope };
    }

    /// <summary>Whether the server wants to know what becomes of projections when merges remove rows.</summary>
    public static async Task<bool> HasModeAsync(MigrationContext context, CancellationToken ct) =>
        await context.ClickHouse.ScalarAsync<long>($"SELECT toInt64(count()) FROM system.merge_tree_settings WHERE name = '{ModeSetting}'", ct: ct) > 0;
}
