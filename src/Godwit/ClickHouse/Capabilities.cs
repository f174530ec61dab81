namespace Godwit.ClickHouse;

/// <summary>What a server can do, asked once when connecting. A step asks here, so that what is missing shows before a run starts.</summary>
public sealed record Capabilities
{
    /// <summary>The server's version.</summary>
    public required ServerVersion Version { get; init; }

    /// <summary>The server's time zone, e.g. Europe/Berlin.</summary>
    public required string Timezone { get; init; }

    /// <summary>EXCHANGE TABLES, in databases of the engine Atomic.</summary>
    public bool HasExchange { get; init; }

    /// <summary>The MergeTree setting enable_block_number_column, and so the column _block_number.</summary>
    public bool HasBlockNumberColumn { get; init; }

    /// <summary>system.disks: free space can be asked.</summary>
    public bool HasDisks { get; init; }

    /// <summary>system.storage_policies.</summary>
    public bool HasStoragePolicies { get; init; }

    /// <summary>system.tables.uuid: a table can be told from another one of its name.</summary>
    public bool HasUuid { get; init; }

    /// <summary>system.tables.total_rows: counts without reading.</summary>
    public bool HasTotalRows { get; init; }

    /// <summary>system.processes.query_kind.</summary>
    public bool HasQueryKind { get; init; }

    /// <summary>system.processes.is_cancelled: a KILL that was heard can be seen.</summary>
    public bool HasProcessesCancelled { get; init; }

    /// <summary>system.query_log, which is made only when the configuration has it and the first query was logged.</summary>
    public bool HasQueryLog { get; init; }

    /// <summary>system.part_log, under the same conditions.</summary>
    public bool HasPartLog { get; init; }

    /// <summary>system.mutations.</summary>
    public bool HasMutations { get; init; }

    /// <summary>system.kafka_consumers.</summary>
    public bool HasKafkaConsumers { get; init; }

    /// <summary>system.detached_parts.</summary>
    public bool HasDetachedParts { get; init; }

    /// <summary>system.backups, and so BACKUP and RESTORE.</summary>
    public bool HasBackup { get; init; }

    /// <summary>system.zookeeper: this server is connected to a Keeper.</summary>
    public bool HasKeeper { get; init; }

    /// <summary>system.parts.hash_of_all_files.</summary>
    public bool HasPartHash { get; init; }

    /// <summary>system.parts.uuid.</summary>
    public bool HasPartUuid { get; init; }

    /// <summary>The type DateTime64.</summary>
    public bool HasDateTime64 { get; init; }

    /// <summary>The setting insert_allow_materialized_columns.</summary>
    public bool HasInsertAllowMaterializedColumns { get; init; }

    /// <summary>The setting mutations_sync.</summary>
    public bool HasMutationsSync { get; init; }

    /// <summary>The setting insert_deduplication_token.</summary>
    public bool HasInsertDeduplicationToken { get; init; }

    /// <summary>Temporary tables of MergeTree engines (23.3; nothing in the server tells it but its version).</summary>
    public bool HasTemporaryMergeTree { get; init; }

    /// <summary>DROP … SYNC (20.10; nothing in the server tells it but its version).</summary>
    public bool HasDropSync { get; init; }

    /// <summary>DETACH … PERMANENTLY (20.12; nothing in the server tells it but its version).</summary>
    public bool HasDetachPermanently { get; init; }

    /// <summary>ALTER … MODIFY SETTING (19.14; nothing in the server tells it but its version).</summary>
    public bool HasModifySetting { get; init; }

    /// <summary>Whether rows that arrive can be told from older ones: the block log, and no mutation bugs with it (25.1).</summary>
    public bool HasBlockLog => HasBlockNumberColumn && Version >= new ServerVersion(25, 1);

    /// <summary>The setting max_memory_usage for this user, in bytes; 0 is no limit.</summary>
    public ulong MaxMemoryUsage { get; init; }

    /// <summary>The setting max_execution_time for this user; zero is no limit.</summary>
    public TimeSpan MaxExecutionTime { get; init; }

    /// <summary>Whether this user may not write (the setting readonly is not 0).</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Asks the server, in three statements that every version understands.</summary>
    /// <exception cref="ClickHouseException">As every statement.</exception>
    public static Task<Capabilities> ProbeAsync(ClickHouseGateway gateway, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(gateway);
        return CapabilityProbe.RunAsync(gateway, ct);
    }
}
