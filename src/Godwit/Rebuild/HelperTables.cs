using Godwit.ClickHouse;

namespace Godwit.Rebuild;

/// <summary>The settings that staging and landing tables are created with, and how merges of a table are held.</summary>
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

    /// <summary>Staging: the block log from its first row on, and no merges until the cutover is through.</summary>
    public static Dictionary<string, string?> Staging(bool blockLog)
    {
        Dictionary<string, string?> settings = MergeHold.ToDictionary(name => name, string? (_) => "1", StringComparer.Ordinal);
        if (blockLog)
        {
            settings[BlockLog] = "1";
        }

        return settings;
    }

    /// <summary>A landing table: without the block log, so that its parts get clean positions where they are attached.</summary>
    public static Dictionary<string, string?> Landing(bool sweep)
    {
        Dictionary<string, string?> settings = MergeHold.ToDictionary(name => name, string? (_) => "1", StringComparer.Ordinal);
        settings[BlockLog] = null;
        if (sweep)
        {
            settings["default_compression_codec"] = SweepCodec;
        }

        return settings;
    }

    /// <summary>The statement that gives settings back the values that a definition names, or the server's defaults.</summary>
    public static string Restore(QualifiedName table, TableDefinition definition, IEnumerable<string> settings)
    {
        var all = settings.ToList();
        var set = all.Where(definition.Settings.ContainsKey).Select(s => $"{s} = {definition.Settings[s]}").ToList();
        var reset = all.Where(s => !definition.Settings.ContainsKey(s)).ToList();
        List<string> commands = [];
        if (set.Count > 0)
        {
            commands.Add($"MODIFY SETTING {string.Join(", ", set)}");
        }

        if (reset.Count > 0)
        {
            commands.Add($"RESET SETTING {string.Join(", ", reset)}");
        }

        return $"ALTER TABLE {table.ToSql()} {string.Join(", ", commands)}";
    }

    /// <summary>The statement that holds the merges of a table.</summary>
    public static string Hold(QualifiedName table) =>
        $"ALTER TABLE {table.ToSql()} MODIFY SETTING {string.Join(", ", MergeHold.Select(s => $"{s} = 1"))}";
}
