using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Bench;

/// <summary>What every measurement needs: an engine, a database, and the table of product analytics at a chosen size.</summary>
internal sealed class Bench(EngineFixture engine, string folder) : IAsyncDisposable
{
    /// <summary>The key that the copies are made to.</summary>
    public const string NewKey = "(team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid))";

    /// <summary>The database of all tables.</summary>
    public const string Database = "bench";

    private const string Constant =
        """
        ,"$browser":"Firefox","$browser_version":139,"$os":"Linux","$device_type":"Desktop","$lib":"web","$lib_version":"1.57.2","$timezone":"UTC","$user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0
        """;

    private readonly ClickHouseGateway _gateway = engine.Gateway();
    private int _runs;

    /// <summary>The server.</summary>
    public ClickHouseGateway Gateway => _gateway;

    /// <summary>The process that is ClickHouse.</summary>
    public int EnginePid => engine.Pid;

    /// <summary>Sends a statement, however long it takes.</summary>
    public Task ExecuteAsync(string sql) => _gateway.ExecuteAsync(sql, new QueryOptions { Timeout = Timeout.InfiniteTimeSpan });

    /// <summary>Makes the events table and fills it with rows of about 500 bytes, in months of equal size, one part each.</summary>
    public async Task MakeEventsAsync(string name, long rows, int months)
    {
        await ExecuteAsync($"DROP TABLE IF EXISTS {Database}.{name} SYNC");
        await ExecuteAsync(
            $"""
             CREATE TABLE {Database}.{name} (uuid UUID, event String, properties String, timestamp DateTime64(6, 'UTC'), team_id Int64,
                 distinct_id String, elements_chain String, created_at DateTime64(6, 'UTC'), _timestamp DateTime, _offset UInt64)
             ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp) ORDER BY (team_id, toDate(timestamp), distinct_id, uuid)
             """);
        for (var month = 0; month < months; month++)
        {
            await ExecuteAsync(
                $$"""
                 INSERT INTO {{Database}}.{{name}} SELECT generateUUIDv4(number), 'event_' || toString(rand(1) % 40),
                     '{"$session_id":"' || hex(sipHash128(number, 1)) || '","$device_id":"' || hex(sipHash128(number, 2)) || '","$insert_id":"'
                         || hex(sipHash128(number, 3)) || '","$screen_width":' || toString(rand(2) % 3000) || '{{Constant}}"}',
                     toDateTime64('2024-01-02 00:00:00', 6, 'UTC') + INTERVAL {{month}} MONTH + toIntervalSecond(rand(3) % 2000000), rand(4) % 20,
                     'user_' || toString(rand(5) % 100000), '', now64(6), now(), number
                 FROM numbers({{rows / months}})
                 """);
        }

        await ExecuteAsync($"OPTIMIZE TABLE {Database}.{name} FINAL");
    }

    /// <summary>An empty table like another one, with the new key.</summary>
    public async Task MakeTargetAsync(string name, string like)
    {
        await ExecuteAsync($"DROP TABLE IF EXISTS {Database}.{name} SYNC");
        await ExecuteAsync($"CREATE TABLE {Database}.{name} AS {Database}.{like} ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp) ORDER BY {NewKey}");
    }

    /// <summary>Seconds that an action takes.</summary>
    public static async Task<double> TimeAsync(Func<Task> action)
    {
        var watch = Stopwatch.StartNew();
        await action();
        return watch.Elapsed.TotalSeconds;
    }

    /// <summary>
    /// Makes the machine alike for all that is measured: what was written before is on the disk, and memory is there. A virtual machine
    /// gives memory back that nobody uses, and the first who touches it again waits for it, up to a fifth of such a copy.
    /// </summary>
    public static async Task SettleAsync()
    {
        using var sync = Process.Start("sync");
        await sync.WaitForExitAsync();
        Touch(4L << 30);
    }

    private static unsafe void Touch(long bytes)
    {
        var memory = (byte*)NativeMemory.Alloc((nuint)bytes);
        for (var i = 0L; i < bytes; i += Environment.SystemPageSize)
        {
            memory[i] = 1;
        }

        NativeMemory.Free(memory);
    }

    /// <summary>Rebuilds a table through the door that everybody uses, and returns what the journal says of the times.</summary>
    public async Task<RebuildTimes> RebuildAsync(RebuildRequest request, RunOptions options)
    {
        await using var store = await SqliteStore.OpenAsync(Path.Combine(folder, $"run{_runs++}.db"));
        var migrator = new Migrator(_gateway, store);
        var proposal = await migrator.ProposeAsync(request, options);
        if (proposal.Plan is not { } plan)
        {
            throw new InvalidOperationException(string.Join(Environment.NewLine, proposal.Checks.Where(c => c.Blocks)));
        }

        var watch = Stopwatch.StartNew();
        var status = await migrator.RunAsync(await migrator.CreateRunAsync(plan, options));
        var total = watch.Elapsed.TotalSeconds;
        if (status.State != RunState.Completed)
        {
            throw new InvalidOperationException($"The run is {status.State}: {status.Problem}");
        }

        return RebuildTimes.Of(await store.GetJournalAsync(plan.RunId), total, status);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _gateway.Dispose();
        await engine.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}

/// <summary>How long the phases of a rebuild took, in seconds.</summary>
internal sealed record RebuildTimes(double Copy, double Verify, double Total, RunStatus Status)
{
    /// <summary>Reads them from the times in a journal.</summary>
    public static RebuildTimes Of(IReadOnlyList<JournalEntry> journal, double total, RunStatus status)
    {
        var copies = journal.Where(e => e.Name.Contains("/forward-base-", StringComparison.Ordinal)).ToList();
        var verified = journal.FirstOrDefault(e => e.Name == "verified/forward");
        var before = verified is null ? null : journal.LastOrDefault(e => e.Sequence < verified.Sequence);
        return new RebuildTimes(
            copies.Count == 0 ? 0 : (copies[^1].At - copies[0].At).TotalSeconds,
            verified is null ? 0 : (verified.At - before!.At).TotalSeconds,
            total,
            status);
    }
}

/// <summary>Prints figures so that the ratios stand out.</summary>
internal static class Report
{
    public static void Head(string text) => Console.WriteLine($"{Environment.NewLine}{text}{Environment.NewLine}{new string('-', text.Length)}");

    public static void Line(string what, double seconds, double ratio, string aim = "") => Console.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"{what,-58} {seconds,8:0.00} s  {ratio,6:0.00} x  {aim}"));

    public static void Say(string what, string figure, string aim = "") => Console.WriteLine($"{what,-58} {figure,19}  {aim}");
}
