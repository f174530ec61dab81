using System.Globalization;

namespace Godwit.ClickHouse;

/// <summary>Finds out what a server can do by looking at what its system tables hold, since versions are patched and features moved.</summary>
internal static class CapabilityProbe
{
    private const string MergeTreeSettings = "merge_tree_settings";
    private const string TypeFamilies = "data_type_families";
    private const string DatabaseEngines = "database_engines";

    public static async Task<Capabilities> RunAsync(ClickHouseGateway gateway, CancellationToken ct)
    {
        var server = (await gateway.QueryAsync("SELECT version() AS version, timezone() AS timezone", ct: ct))[0];
        var system = await NamesAsync(
            gateway,
            "SELECT name AS item FROM system.tables WHERE database = 'system' UNION ALL "
            + "SELECT concat(table, '.', name) AS item FROM system.columns "
            + "WHERE database = 'system' AND table IN ('tables', 'processes', 'parts')",
            ct);
        var settings = await SettingsAsync(gateway, system, ct);
        return Build(ServerVersion.Parse(server["version"]), server["timezone"], system, settings);
    }

    private static Capabilities Build(
        ServerVersion version,
        string timezone,
        HashSet<string> system,
        Dictionary<string, string> settings) => new()
        {
            Version = version,
            Timezone = timezone,
            // The engine and the statement came in one change, and it works in no other engine.
            HasExchange = settings.ContainsKey(DatabaseEngines + ".Atomic"),
            HasBlockNumberColumn = settings.ContainsKey(MergeTreeSettings + ".enable_block_number_column"),
            HasDateTime64 = settings.ContainsKey(TypeFamilies + ".DateTime64"),
            HasInsertAllowMaterializedColumns = settings.ContainsKey("settings.insert_allow_materialized_columns"),
            HasMutationsSync = settings.ContainsKey("settings.mutations_sync"),
            HasInsertDeduplicationToken = settings.ContainsKey("settings.insert_deduplication_token"),
            MaxMemoryUsage = Number(settings, "settings.max_memory_usage"),
            MaxExecutionTime = TimeSpan.FromSeconds(Number(settings, "settings.max_execution_time")),
            IsReadOnly = Number(settings, "settings.readonly") != 0,
            HasDisks = system.Contains("disks"),
            HasStoragePolicies = system.Contains("storage_policies"),
            HasQueryLog = system.Contains("query_log"),
            HasPartLog = system.Contains("part_log"),
            HasMutations = system.Contains("mutations"),
            HasKafkaConsumers = system.Contains("kafka_consumers"),
            HasDetachedParts = system.Contains("detached_parts"),
            HasBackup = system.Contains("backups"),
            HasKeeper = system.Contains("zookeeper"),
            HasUuid = system.Contains("tables.uuid"),
            HasTotalRows = system.Contains("tables.total_rows"),
            HasQueryKind = system.Contains("processes.query_kind"),
            HasProcessesCancelled = system.Contains("processes.is_cancelled"),
            HasPartHash = system.Contains("parts.hash_of_all_files"),
            HasPartUuid = system.Contains("parts.uuid"),
            HasTemporaryMergeTree = version >= new ServerVersion(23, 3),
            HasDropSync = version >= new ServerVersion(20, 10),
            HasDetachPermanently = version >= new ServerVersion(20, 12),
            HasModifySetting = version >= new ServerVersion(19, 14),
        };

    private static async Task<HashSet<string>> NamesAsync(ClickHouseGateway gateway, string sql, CancellationToken ct)
        => [.. (await gateway.QueryAsync(sql, ct: ct)).Select(r => r["item"])];

    /// <summary>Names with their values, from those of the tables that this server has.</summary>
    private static async Task<Dictionary<string, string>> SettingsAsync(ClickHouseGateway gateway, HashSet<string> system, CancellationToken ct)
    {
        // Not AS name: newer servers would take the alias for the column in WHERE.
        var selects = new List<string>
        {
            "SELECT concat('settings.', name) AS item, value FROM system.settings WHERE name IN ('insert_allow_materialized_columns', "
            + "'mutations_sync', 'insert_deduplication_token', 'max_memory_usage', 'max_execution_time', 'readonly')",
        };
        AddIfThere(MergeTreeSettings, "name = 'enable_block_number_column'");
        AddIfThere(TypeFamilies, "name = 'DateTime64'");
        AddIfThere(DatabaseEngines, "name = 'Atomic'");
        var rows = await gateway.QueryAsync(string.Join(" UNION ALL ", selects), ct: ct);
        return rows.ToDictionary(r => r["item"], r => r["value"]);

        void AddIfThere(string table, string condition)
        {
            if (system.Contains(table))
            {
                selects.Add($"SELECT concat('{table}.', name) AS item, '' AS value FROM system.{table} WHERE {condition}");
            }
        }
    }

    // Seconds may be printed with a fraction; what is no number at all sets no limit that could be respected.
    private static ulong Number(Dictionary<string, string> settings, string name)
        => double.TryParse(settings.GetValueOrDefault(name), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? (ulong)number : 0;
}
