using System.Diagnostics;
using Godwit.ClickHouse;

namespace Godwit.Cli.Demo;

/// <summary>A batch of consecutive ids that a server has acknowledged.</summary>
/// <param name="First">The first id.</param>
/// <param name="Count">How many.</param>
internal sealed record Batch(long First, int Count);

/// <summary>
/// Programs that insert without pause and write down what the server has acknowledged. They behave as a good client does: an insert
/// that is answered with TABLE_UUID_MISMATCH wrote nothing and is sent again; anything else that is refused is counted.
/// </summary>
/// <param name="server">Where they write to.</param>
/// <param name="insert">The INSERT for ids from the first up to the count.</param>
/// <param name="batchSize">Rows in an insert.</param>
internal sealed class LiveWriters(ClickHouseOptions server, Func<long, int, string> insert, int batchSize) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<Batch> _acknowledged = [];
    private readonly List<(long At, double Milliseconds)> _latencies = [];
    private readonly CancellationTokenSource _stop = new();
    private Task[] _tasks = [];
    private int _refused;
    private int _retried;

    /// <summary>Ids of different writers lie this far apart; ids below it belong to nobody here.</summary>
    public const long IdsPerWriter = 1L << 40;

    /// <summary>Inserts that were refused for good.</summary>
    public int Refused => _refused;

    /// <summary>Inserts that were answered with TABLE_UUID_MISMATCH and sent again.</summary>
    public int Retried => _retried;

    /// <summary>What was acknowledged so far.</summary>
    public IReadOnlyList<Batch> Acknowledged
    {
        get
        {
            lock (_gate)
            {
                return [.. _acknowledged];
            }
        }
    }

    /// <summary>Starts to write.</summary>
    public void Start(int writers) => _tasks = Enumerable.Range(1, writers).Select(w => Task.Run(() => WriteAsync(w))).ToArray();

    /// <summary>Lets every writer finish its insert and stops.</summary>
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

    /// <summary>The 99th percentile of insert times in milliseconds between two timestamps.</summary>
    public double P99(long from, long to)
    {
        lock (_gate)
        {
            var times = _latencies.Where(l => l.At >= from && l.At <= to).Select(l => l.Milliseconds).Order().ToList();
            return times.Count == 0 ? 0 : Math.Round(times[(int)(times.Count * 0.99)], 1);
        }
    }

    private async Task WriteAsync(int writer)
    {
        using var gateway = new ClickHouseGateway(server);
        for (var next = writer * IdsPerWriter; !_stop.IsCancellationRequested; next += batchSize)
        {
            var began = Stopwatch.GetTimestamp();
            var written = await SendAsync(gateway, insert(next, batchSize));
            lock (_gate)
            {
                _latencies.Add((began, Stopwatch.GetElapsedTime(began).TotalMilliseconds));
                if (written)
                {
                    _acknowledged.Add(new Batch(next, batchSize));
                }
            }
        }
    }

    private async Task<bool> SendAsync(ClickHouseGateway gateway, string sql)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await gateway.ExecuteAsync(sql);
                return true;
            }
            catch (ClickHouseException e) when (e.Code == ClickHouseErrorCodes.TableUuidMismatch && attempt == 0)
            {
                Interlocked.Increment(ref _retried);
            }
            catch (ClickHouseException)
            {
                Interlocked.Increment(ref _refused);
                return false;
            }
        }
    }
}
