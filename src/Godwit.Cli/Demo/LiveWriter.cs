using System.Diagnostics;
using Godwit.ClickHouse;

namespace Godwit.Cli.Demo;

/// <summary>What live writers do.</summary>
internal sealed record LiveWriterOptions
{
    /// <summary>The table, by name: whichever table has the name when an insert begins.</summary>
    public required QualifiedName Table { get; init; }

    /// <summary>Makes the rows; the id must be among what is stored.</summary>
    public required IRowSource Rows { get; init; }

    /// <summary>How many insert at the same time.</summary>
    public int Writers { get; init; } = 4;

    /// <summary>The number of the first writer; give a second <see cref="LiveWriter"/> with the same log others than the first has.</summary>
    public int FirstWriter { get; init; }

    /// <summary>Rows of an insert.</summary>
    public int BatchRows { get; init; } = 50;

    /// <summary>How long a writer waits between two inserts.</summary>
    public TimeSpan Pause { get; init; }

    /// <summary>Settings of the inserts. Each is written when it is acknowledged, unless these say otherwise.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } =
        new Dictionary<string, string>(StringComparer.Ordinal) { ["async_insert"] = "0" };
}

/// <summary>
/// Writers that insert small batches without pause and write down how each insert ended, so that <see cref="WriterOracle"/> can
/// tell afterwards whether the table holds what it must. An insert that the server refuses with code 741 (its table was exchanged
/// meanwhile, nothing was written) is sent once more at once.
/// </summary>
/// <example><code>
/// await using var writer = LiveWriter.Start(gateway, new LiveWriterOptions
/// {
///     Table = table,
///     Rows = new SqlRows("id, at", "number, now()") { Duration = TimeSpan.FromSeconds(2) },
/// });
/// … // exchange tables, kill servers, rebuild
/// await writer.StopAsync();
/// var verdict = await new WriterOracle(gateway, table, "id").CompareAsync(writer.Log);
/// verdict.Lost.ShouldBe(0);
/// </code></example>
internal sealed class LiveWriter : IAsyncDisposable
{
    private static readonly TimeSpan Reconnect = TimeSpan.FromMilliseconds(50);
    private readonly ClickHouseGateway _gateway;
    private readonly LiveWriterOptions _options;
    private readonly QueryOptions _query;
    private readonly CancellationTokenSource _abandon = new();
    private readonly Task[] _tasks;
    private volatile bool _stopping;

    private LiveWriter(ClickHouseGateway gateway, LiveWriterOptions options, WriterLog log)
    {
        (_gateway, _options, Log) = (gateway, options, log);
        _query = new QueryOptions { Settings = options.Settings };
        _tasks = [.. Enumerable.Range(options.FirstWriter, options.Writers).Select(w => Task.Run(() => WriteAsync(w, _abandon.Token)))];
    }

    /// <summary>What was written so far.</summary>
    public WriterLog Log { get; }

    /// <summary>Starts to write.</summary>
    /// <param name="gateway">The server; the caller keeps it, and it must outlive the writers.</param>
    /// <param name="options">What to write.</param>
    /// <param name="log">Where to write it down; a new log when null.</param>
    public static LiveWriter Start(ClickHouseGateway gateway, LiveWriterOptions options, WriterLog? log = null) =>
        new(gateway, options, log ?? new WriterLog());

    /// <summary>Lets every writer end the insert that is under way, and waits for all.</summary>
    public Task StopAsync()
    {
        _stopping = true;
        return Task.WhenAll(_tasks);
    }

    /// <summary>Ends at once; inserts that are under way count as unknown.</summary>
    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        await _abandon.CancelAsync();
        await Task.WhenAll(_tasks);
        _abandon.Dispose();
    }

    private async Task WriteAsync(int writer, CancellationToken ct)
    {
        var next = WriterLog.FirstId(writer);
        try
        {
            while (!_stopping)
            {
                var outcome = await WriteBatchAsync(new WriterBatch(writer, next, _options.BatchRows), ct);
                next += _options.BatchRows;
                var pause = outcome is WriteOutcome.Unknown or WriteOutcome.NotSent && _options.Pause < Reconnect ? Reconnect : _options.Pause;
                if (pause > TimeSpan.Zero && !_stopping)
                {
                    await Task.Delay(pause, ct);
                }
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Abandoned, as asked.
        }
    }

    private async Task<WriteOutcome> WriteBatchAsync(WriterBatch batch, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        var outcome = await TryAsync(batch, ct);
        if (outcome is null)
        {
            Log.CountRetry();
            outcome = await TryAsync(batch, ct);
            if (outcome is null)
            {
                Log.AddRefusal("The server answered TABLE_UUID_MISMATCH to an insert and to its retry.");
            }
        }

        var known = outcome ?? WriteOutcome.Refused;
        Log.Add(batch, known, began);
        return known;
    }

    /// <summary>Null when the server refused because the name changed hands: then nothing was written.</summary>
    private async Task<WriteOutcome?> TryAsync(WriterBatch batch, CancellationToken ct)
    {
        try
        {
            await _options.Rows.InsertAsync(_gateway, _options.Table, batch, _query, ct);
            return WriteOutcome.Acknowledged;
        }
        catch (ClickHouseUnreachableException e)
        {
            return e.MayHaveRun ? WriteOutcome.Unknown : WriteOutcome.NotSent;
        }
        catch (ClickHouseException e) when (e.Code == ClickHouseErrorCodes.TableUuidMismatch)
        {
            return null;
        }
        catch (ClickHouseException e)
        {
            Log.AddRefusal(e.Message);
            return WriteOutcome.Refused;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return WriteOutcome.Unknown;
        }
    }
}
