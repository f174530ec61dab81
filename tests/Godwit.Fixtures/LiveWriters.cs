using System.Net;
using System.Text;
using Godwit.ClickHouse;

namespace Godwit.Fixtures;

/// <summary>
/// Writers that never pause while a table is rebuilt, and the log of what the server has acknowledged to them. Every row has an id of
/// its own. Some inserts last seconds, so that there is always one under way when something else happens.
/// </summary>
public sealed class LiveWriters : IAsyncDisposable
{
    /// <summary>The most rows of an insert.</summary>
    public const int BatchRows = 25;
    private readonly ClickHouseGateway _gateway;
    private readonly string _table;
    private readonly int _keys;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _log = new();
    private readonly List<long> _acknowledged = [];
    private readonly List<long> _unknown = [];
    private readonly List<string> _refusals = [];
    private readonly Task[] _tasks;
    private long _nextId;
    private int _retried;

    private LiveWriters(ClickHouseGateway gateway, string table, int keys, long firstId, int count, int seed)
    {
        (_gateway, _table, _keys, _nextId) = (gateway, table, keys, firstId);
        _tasks = Enumerable.Range(0, count).Select(i => Task.Run(() => WriteAsync(i, new Random(seed + i)))).ToArray();
    }

    /// <summary>How many inserts were refused with TABLE_UUID_MISMATCH and accepted when they were sent again.</summary>
    public int Retried => Volatile.Read(ref _retried);

    /// <summary>The ids of rows that the server has acknowledged.</summary>
    public IReadOnlyList<long> Acknowledged
    {
        get
        {
            lock (_log)
            {
                return [.. _acknowledged];
            }
        }
    }

    /// <summary>The ids of rows whose insert had no answer: they may be there or not.</summary>
    public IReadOnlyList<long> Unknown
    {
        get
        {
            lock (_log)
            {
                return [.. _unknown];
            }
        }
    }

    /// <summary>What the server said when it refused an insert for any other reason.</summary>
    public IReadOnlyList<string> Refusals
    {
        get
        {
            lock (_log)
            {
                return [.. _refusals];
            }
        }
    }

    /// <summary>The columns of a row as SQL over its id.</summary>
    /// <param name="id">The SQL of the id.</param>
    /// <param name="keys">How many keys there are; rows with the same key are what merging engines fold.</param>
    public static string Columns(string id, int keys) =>
        $"toUInt64({id}) AS id, toUInt32({id} % {keys}) AS key, toUInt8({id} % {keys} % 4) AS shard, toUInt64({id}) AS version, toInt64(1) AS n, toString(cityHash64({id})) AS text";

    /// <summary>Starts them.</summary>
    /// <param name="gateway">The server; stays the caller's.</param>
    /// <param name="table">The table, for SQL.</param>
    /// <param name="keys">See <see cref="Columns"/>.</param>
    /// <param name="firstId">The first id that they may use.</param>
    /// <param name="seed">What they do next comes from this.</param>
    /// <param name="count">How many write at once.</param>
    public static LiveWriters Start(ClickHouseGateway gateway, string table, int keys, long firstId, int seed, int count = 4) =>
        new(gateway, table, keys, firstId, count, seed);

    /// <summary>Lets every insert that is under way end.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_tasks);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task WriteAsync(int writer, Random random)
    {
        while (!_stop.IsCancellationRequested)
        {
            // The first two writers are the slow ones: at every moment an insert of theirs is probably under way.
            var slow = writer < 2 && random.Next(3) > 0;
            var rows = slow ? 20 : 1 + random.Next(BatchRows);
            var first = Interlocked.Add(ref _nextId, rows) - rows;
            var duration = TimeSpan.FromMilliseconds(500 + random.Next(2500));
            Func<Task> insert = (slow, random.Next(3)) switch
            {
                (true, 0) => () => InsertSlowSelectAsync(first, rows, duration),
                (true, 1) => () => InsertSlowStartAsync(first, rows, duration),
                (true, _) => () => InsertSlowBodyAsync(first, rows, duration),
                _ => () => InsertAsync(first, rows),
            };
            await LoggedAsync(Enumerable.Range(0, rows).Select(i => first + i), insert);
            await Task.Delay(random.Next(slow ? 10 : 30));
        }
    }

    private async Task LoggedAsync(IEnumerable<long> ids, Func<Task> insert)
    {
        try
        {
            await RetriedAsync(insert);
            Log(_acknowledged, ids);
        }
        catch (ClickHouseUnreachableException e)
        {
            if (e.MayHaveRun)
            {
                Log(_unknown, ids);
            }
        }
        catch (ClickHouseException e)
        {
            Log(_unknown, ids);
            Log(_refusals, [e.Message]);
        }
    }

    private async Task RetriedAsync(Func<Task> insert)
    {
        try
        {
            await insert();
        }
        catch (ClickHouseException e) when (e.Code == ClickHouseErrorCodes.TableUuidMismatch)
        {
            Interlocked.Increment(ref _retried);
            await insert();
        }
    }

    private void Log<T>(List<T> log, IEnumerable<T> entries)
    {
        lock (_log)
        {
            log.AddRange(entries);
        }
    }

    private Task InsertAsync(long first, int rows) =>
        _gateway.ExecuteAsync($"INSERT INTO {_table} (id, key, shard, version, n, text) SELECT {Columns($"({first} + number)", _keys)} FROM numbers({rows})");

    // Several blocks, each of which is committed by itself.
    private Task InsertSlowSelectAsync(long first, int rows, TimeSpan duration) => _gateway.ExecuteAsync(
        $"""
         INSERT INTO {_table} (id, key, shard, version, n, text) SELECT {Columns($"({first} + number)", _keys)} FROM numbers({rows})
         WHERE sleepEachRow({(duration.TotalSeconds / rows).ToString("0.0000", System.Globalization.CultureInfo.InvariantCulture)}) = 0
         SETTINGS max_block_size = 4, min_insert_block_size_rows = 4, min_insert_block_size_bytes = 0, max_threads = 1, function_sleep_max_microseconds_per_block = 0
         """);

    // The server has found the table, and looks for the table's views when the subquery has ended.
    private Task InsertSlowStartAsync(long first, int rows, TimeSpan duration) => _gateway.ExecuteAsync(
        $"""
         INSERT INTO {_table} (id, key, shard, version, n, text) SELECT {Columns($"({first} + number)", _keys)} FROM numbers({rows})
         WHERE (SELECT sleep({duration.TotalSeconds.ToString("0.0", System.Globalization.CultureInfo.InvariantCulture)})) = 0
         """);

    private async Task InsertSlowBodyAsync(long first, int rows, TimeSpan duration)
    {
        using var body = new SlowBody(Enumerable.Range(0, rows).Select(i => $"{first + i}\n").ToList(), duration / rows);
        await _gateway.InsertAsync(
            $"INSERT INTO {_table} (id, key, shard, version, n, text) SELECT {Columns("raw", _keys)} FROM input('raw UInt64') FORMAT TSV",
            body,
            new QueryOptions { Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["max_insert_block_size"] = "5", ["min_insert_block_size_rows"] = "5", ["min_insert_block_size_bytes"] = "0", ["input_format_parallel_parsing"] = "0" } });
    }

    private sealed class SlowBody(List<string> lines, TimeSpan pause) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            foreach (var line in lines)
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes(line));
                await stream.FlushAsync();
                await Task.Delay(pause);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
