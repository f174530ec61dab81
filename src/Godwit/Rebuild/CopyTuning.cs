using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>What a server can give to a copy.</summary>
/// <param name="Cores">Threads that the copy may use in all.</param>
/// <param name="Memory">Bytes that the copy may use in all.</param>
internal sealed record ServerResources(int Cores, long Memory)
{
    // Without any limit that can be read, half a gigabyte per core is what the smallest servers in use have to spare.
    private const long Unknown = 1L << 30;

    /// <summary>Reads the limits of the server and of the user; a person's own figures win.</summary>
    public static async Task<ServerResources> ReadAsync(ClickHouseGateway gateway, RunOptions options, CancellationToken ct)
    {
        var hasServerSettings = (await Known.ColumnsAsync(gateway, ["server_settings"], null, ct)).Count > 0;
        var rows = await gateway.QueryAsync(
            $"""
             SELECT 'threads' AS what, value FROM system.settings WHERE name = 'max_threads'
             UNION ALL SELECT 'query_memory' AS what, value FROM system.settings WHERE name = 'max_memory_usage'
             {(hasServerSettings ? "UNION ALL SELECT 'server_memory' AS what, value FROM system.server_settings WHERE name = 'max_server_memory_usage'" : "")}
             """,
            ct: ct);
        long Least(string what) => rows.Where(r => r["what"] == what).Select(r => Number(r["value"])).Where(v => v > 0).DefaultIfEmpty(long.MaxValue).Min();
        var cores = options.Threads ?? (int)Math.Clamp(Least("threads"), 1, 64);

        // A copy is a guest: no more than one query, and 40 % of what the whole server, may take.
        var memory = Math.Min(Least("query_memory"), Share(Least("server_memory")));
        return new ServerResources(cores, options.Memory ?? (memory == long.MaxValue ? Unknown * cores : memory));
    }

    private static long Share(long bytes) => bytes == long.MaxValue ? bytes : (long)(bytes * 0.4);

    // max_threads reads "auto(2)" unless somebody set it.
    private static long Number(string text) =>
        long.TryParse(text.Replace("auto(", "", StringComparison.Ordinal).TrimEnd(')'), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value)
            ? value
            : 0;
}

/// <summary>How one statement of a copy runs.</summary>
/// <param name="Threads">Threads that read, and as many that write.</param>
/// <param name="BlockBytes">How large a block is gathered before it is sorted and written as a part; 0 for one block.</param>
/// <param name="Memory">The most memory in bytes that the statement may take.</param>
/// <param name="RowsPerSecond">The server slows the statement down to this; null for no limit.</param>
internal sealed record CopyTuning(int Threads, long BlockBytes, long Memory, long? RowsPerSecond)
{
    /// <summary>Whether the statement's threads let everybody else's go first (where the server may set that).</summary>
    public bool IsPolite { get; init; } = true;

    private const long SmallestBlock = 16L << 20;

    // Measured: a statement peaks at 2.2 times the blocks that its threads gather.
    private const double Peak = 2.4;

    // Larger blocks are read no faster, and what is read is shown, limited and killed between two of them.
    private const long MostRowsRead = 2_000_000;

    /// <summary>
    /// A lane is one statement on one partition with one thread. A partition that fits goes in one block: nothing has to be merged
    /// afterwards, which is where the time goes. A partition alone gets all threads.
    /// </summary>
    /// <param name="resources">What the server can give.</param>
    /// <param name="options">How the run is to behave.</param>
    /// <param name="lanes">How many statements run at once.</param>
    /// <param name="bytes">Uncompressed bytes that this statement copies.</param>
    public static CopyTuning For(ServerResources resources, RunOptions options, int lanes, long bytes)
    {
        var threads = Math.Max(1, resources.Cores / lanes);
        var memory = Math.Max(resources.Memory / lanes, 4 * SmallestBlock);

        var room = Math.Max((long)(memory / (Peak * threads)), SmallestBlock);
        var oneBlock = bytes <= memory / Peak;
        return new CopyTuning(oneBlock ? 1 : threads, oneBlock ? 0 : room, memory, options.MaxRowsPerSecond / lanes);
    }

    /// <summary>The same with half the block, for a statement that ran out of memory; null when it cannot be smaller.</summary>
    public CopyTuning? Smaller()
    {
        var present = BlockBytes == 0 ? (long)(Memory / Peak) : BlockBytes;
        return present <= SmallestBlock ? null : this with { BlockBytes = Math.Max(present / 2, SmallestBlock) };
    }

    /// <summary>The settings of the INSERT … SELECT.</summary>
    public Dictionary<string, string> Settings()
    {
        var threads = Threads.ToString(CultureInfo.InvariantCulture);
        Dictionary<string, string> settings = new(ReadSettings, StringComparer.Ordinal)
        {
            ["max_threads"] = threads,
            ["max_insert_threads"] = threads,
            ["min_insert_block_size_rows"] = BlockBytes == 0 ? "1000000000" : "0",
            ["min_insert_block_size_bytes"] = BlockBytes.ToString(CultureInfo.InvariantCulture),

            // Measured: with the default of 1 MB a block is gathered from a thousand small ones, which takes a quarter of the time.
            ["preferred_block_size_bytes"] = (BlockBytes / 4).ToString(CultureInfo.InvariantCulture),
            ["max_block_size"] = MostRowsRead.ToString(CultureInfo.InvariantCulture),
            ["optimize_on_insert"] = "0",
            ["materialize_statistics_on_insert"] = "0",
            ["insert_allow_materialized_columns"] = "1",
            ["insert_deduplicate"] = "0",
            ["async_insert"] = "0",
            ["max_partitions_per_insert_block"] = "0",
            ["max_memory_usage"] = Memory.ToString(CultureInfo.InvariantCulture),
        };
        if (IsPolite)
        {
            settings["os_thread_priority"] = "10";
        }

        if (RowsPerSecond is { } limit)
        {
            settings["timeout_before_checking_execution_speed"] = "0";
            settings["max_execution_speed"] = Math.Max(1, limit).ToString(CultureInfo.InvariantCulture);
            settings["max_block_size"] = Math.Clamp(limit / 4, 1, 65_409).ToString(CultureInfo.InvariantCulture);
        }

        return settings;
    }

    /// <summary>The settings of an INSERT whose SELECT is a user's own: nothing that changes what it means.</summary>
    public static IReadOnlyDictionary<string, string> FeedSettings { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["insert_deduplicate"] = "0",
        ["async_insert"] = "0",
        ["max_partitions_per_insert_block"] = "0",
        ["max_execution_time"] = "0",
    };

    /// <summary>
    /// The settings of every read that filters by position: with a projection present the filter silently returned no rows, and a
    /// user's profile must not add FINAL, limits or time-outs of its own.
    /// </summary>
    public static IReadOnlyDictionary<string, string> ReadSettings { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["optimize_use_projections"] = "0",
        ["prefer_column_name_to_alias"] = "1",
        ["final"] = "0",
        ["max_execution_time"] = "0",
        ["max_rows_to_read"] = "0",
        ["max_bytes_to_read"] = "0",
        ["max_result_rows"] = "0",
        ["max_result_bytes"] = "0",
    };
}
