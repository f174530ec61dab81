using System.Text.RegularExpressions;
using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>The tables that a run makes beside staging: their names, their settings, their end; and how merges of a table are held.</summary>
internal static class HelperTables
{
    /// <summary>The setting behind the block log.</summary>
    public const string BlockLog = "enable_block_number_column";

    /// <summary>Parts written by a sweep carry this codec by default, so that they differ from any part that a writer wrote.</summary>
    public const string SweepCodec = "'LZ4HC(2)'";

    /// <summary>
    /// Table settings under which the server starts no merge. A table setting survives a restart of the server, SYSTEM STOP MERGES
    /// does not: merges would run between the restart and the moment somebody notices it.
    /// </summary>
    public static readonly string[] MergeHold = ["max_bytes_to_merge_at_max_space_in_pool", "max_bytes_to_merge_at_min_space_in_pool"];

    /// <summary>
    /// Settings that make inserts wait or fail when a table has many parts. Where merges are held for days while rounds or a second consumer bring parts, that
    /// would be the end of it; the new table keeps its limits lifted until the clean-up, by when merges have caught up.
    /// </summary>
    public static readonly string[] PartLimits = ["parts_to_delay_insert", "parts_to_throw_insert"];

    /// <summary>What follows the name of staging in the names of all other helper tables, as a regular expression.</summary>
    public const string Suffix = "_([lpq][0-9]+|w|m|k|q|s|o|b|g[12]?)(_[df])?";

    /// <summary>The landing table of a step.</summary>
    public static QualifiedName Landing(RebuildSpec spec, int step) => spec.Staging with { Table = $"{spec.Staging.Table}_l{step}" };

    /// <summary>The hashes of the rows that were inserted in sight of views: see <see cref="ViewWitness"/>.</summary>
    public static QualifiedName Witness(RebuildSpec spec) => spec.Staging with { Table = $"{spec.Staging.Table}_w" };

    /// <summary>The rows that views missed.</summary>
    public static QualifiedName Missed(RebuildSpec spec) => spec.Staging with { Table = $"{spec.Staging.Table}_m" };

    /// <summary>What a partition was copied into whole: see <see cref="WholeCopier"/>.</summary>
    public static QualifiedName Whole(RebuildSpec spec, Direction direction, int number) =>
        spec.Staging with { Table = $"{spec.Staging.Table}_{(direction.Name == "forward" ? "p" : "q")}{number}" };

    /// <summary>The table that a rollback puts together from partitions.</summary>
    public static QualifiedName WayBack(RebuildSpec spec) => spec.Staging with { Table = $"{spec.Staging.Table}_b" };

    /// <summary>The partitions that a run has put aside for a rollback.</summary>
    public static QualifiedName Kept(QualifiedName staging) => staging with { Table = staging.Table + "_k" };

    /// <summary>The second Kafka table: the new one until the cutover, the old one after it.</summary>
    public static QualifiedName Queue(RebuildSpec spec) => spec.Staging with { Table = spec.Staging.Table + "_q" };

    /// <summary>The Distributed table between the second Kafka table and the table that it fills.</summary>
    public static QualifiedName Spread(RebuildSpec spec) => spec.Staging with { Table = spec.Staging.Table + "_s" };

    /// <summary>What identifies the rows that a second consumer has brought although the base has them too.</summary>
    public static QualifiedName Overlap(RebuildSpec spec) => spec.Staging with { Table = spec.Staging.Table + "_o" };

    /// <summary>The gate before two consumers: see <see cref="ConsumerPair"/>.</summary>
    public static QualifiedName Gate(RebuildSpec spec) => spec.Staging with { Table = spec.Staging.Table + "_g" };

    /// <summary>The materialized view that belongs to a helper table.</summary>
    public static QualifiedName ViewOf(QualifiedName table) => table with { Table = table.Table + "_f" };

    /// <summary>The fingerprints of what is written to a landing table.</summary>
    public static QualifiedName DigestOf(QualifiedName table) => table with { Table = table.Table + "_d" };

    /// <summary>Drops all helper tables of the run but staging, those of processes that died too.</summary>
    public static async Task DropAllAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        // In descending order a table comes after the view that belongs to it.
        var tables = await context.Gateway.QueryAsync(
            $"""
             SELECT name FROM system.tables WHERE database = {Sql.Literal(spec.Source.Database)}
                 AND match(name, {Sql.Literal($"^{Regex.Escape(spec.Staging.Table)}{Suffix}$")})
             ORDER BY name DESC
             """,
            ct: ct);
        if (tables.Count > 0)
        {
            await DropAsync(context, ct, [.. tables.Select(r => spec.Staging with { Table = r["name"] })]);
        }
    }

    /// <summary>Drops helper tables whatever their size: they hold copies only.</summary>
    public static async Task DropAsync(StepContext context, CancellationToken ct, params QualifiedName[] tables)
    {
        var dialect = await context.DialectAsync(ct);
        var limits = new Dictionary<string, string>(StringComparer.Ordinal) { ["max_table_size_to_drop"] = "0", ["max_partition_size_to_drop"] = "0" };
        await context.ChangeAsync("drop-helpers", tables.Select(dialect.Drop).ToList(), dialect.Known(limits), ct);
    }

    /// <summary>Settings of CREATE statements: what the server has accepted once must be accepted again.</summary>
    public static IReadOnlyDictionary<string, string> CreateSettings(TableDefinition definition) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["allow_suspicious_low_cardinality_types"] = "1",
        ["allow_suspicious_codecs"] = "1",
        ["allow_suspicious_ttl_expressions"] = "1",
        ["allow_suspicious_primary_key"] = "1",
        ["allow_suspicious_indices"] = "1",
        ["allow_experimental_codecs"] = "1",
        ["enable_deflate_qpl_codec"] = "1",
        ["data_type_default_nullable"] = "0",

        // A Nested column that the server shows as such was created unflattened.
        ["flatten_nested"] = definition.Columns.Any(c => c.Text.Contains("Nested(", StringComparison.Ordinal)) ? "0" : "1",
    };

    /// <summary>The same for a server of any age, which takes those of them that it knows.</summary>
    public static IReadOnlyDictionary<string, string> CreateSettingsOfAllAges(TableDefinition definition) =>
        new Dictionary<string, string>(CreateSettings(definition), StringComparer.Ordinal) { ["allow_experimental_low_cardinality_type"] = "1" };

    /// <summary>Staging: the block log from its first row on, and no merges until the cutover is through.</summary>
    public static Dictionary<string, string?> Staging(bool blockLog)
    {
        Dictionary<string, string?> settings = MergeHold.ToDictionary(name => name, string? (_) => "1", StringComparer.Ordinal);
        if (blockLog)
        {
            settings[BlockLog] = "1";
            LiftLimits(settings);
        }

        return settings;
    }

    /// <summary>A landing table: without the block log, so that its parts get clean positions where they are attached.</summary>
    public static Dictionary<string, string?> Landing(bool sweep)
    {
        Dictionary<string, string?> settings = MergeHold.ToDictionary(name => name, string? (_) => "1", StringComparer.Ordinal);
        settings[BlockLog] = null;
        LiftLimits(settings);
        if (sweep)
        {
            settings["default_compression_codec"] = SweepCodec;
        }

        return settings;
    }

    private static void LiftLimits(Dictionary<string, string?> settings)
    {
        foreach (var limit in PartLimits)
        {
            settings[limit] = "1000000";
        }
    }

    /// <summary>The statements that give settings back the values that a definition names, or the server's defaults: two, because one cannot do both.</summary>
    public static IReadOnlyList<string> Restore(QualifiedName table, TableDefinition definition, IReadOnlyCollection<string> settings)
    {
        var set = settings.Where(definition.Settings.ContainsKey).Select(s => $"{s} = {definition.Settings[s]}").ToList();
        var reset = settings.Where(s => !definition.Settings.ContainsKey(s)).ToList();
        return
        [
            .. set.Count > 0 ? new[] { $"ALTER TABLE {table.ToSql()} MODIFY SETTING {string.Join(", ", set)}" } : [],
            .. reset.Count > 0 ? new[] { $"ALTER TABLE {table.ToSql()} RESET SETTING {string.Join(", ", reset)}" } : [],
        ];
    }

    /// <summary>The statement that holds the merges of a table.</summary>
    public static string Hold(QualifiedName table) =>
        $"ALTER TABLE {table.ToSql()} MODIFY SETTING {string.Join(", ", MergeHold.Select(s => $"{s} = 1"))}";
}
