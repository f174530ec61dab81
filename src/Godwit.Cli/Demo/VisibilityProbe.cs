using System.Diagnostics;
using System.Globalization;
using Godwit.ClickHouse;

namespace Godwit.Cli.Demo;

/// <summary>
/// A reader that asks again and again whether everything that was acknowledged before it asked can be seen, and measures for how
/// long it could not. Rows of lost answers may stand in for missing ones, so it is exact only when there are none.
/// </summary>
internal sealed class VisibilityProbe : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _task;

    private VisibilityProbe(ClickHouseGateway gateway, string countSql, WriterLog log) => _task = Task.Run(() => ReadAsync(gateway, countSql, log));

    /// <summary>The longest time in which something acknowledged could not be seen; zero when it always could.</summary>
    public TimeSpan LongestGap { get; private set; }

    /// <summary>How often it looked.</summary>
    public int Looks { get; private set; }

    /// <summary>Starts to read.</summary>
    /// <param name="gateway">The server.</param>
    /// <param name="table">The table, by name.</param>
    /// <param name="idExpression">SQL of a row's id.</param>
    /// <param name="log">The writers' log; only their rows are looked at.</param>
    public static VisibilityProbe Start(ClickHouseGateway gateway, QualifiedName table, string idExpression, WriterLog log) => new(
        gateway,
        string.Create(CultureInfo.InvariantCulture, $"SELECT count() FROM {table.ToSql()} WHERE {idExpression} >= {WriterLog.FirstId(0)}"),
        log);

    /// <summary>Ends it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _task;
        _stop.Dispose();
    }

    private async Task ReadAsync(ClickHouseGateway gateway, string countSql, WriterLog log)
    {
        long? missingSince = null;
        try
        {
            while (true)
            {
                var asked = Stopwatch.GetTimestamp();
                var acknowledged = log.AcknowledgedRows;
                if (await CountAsync(gateway, countSql) is { } seen)
                {
                    Looks++;
                    missingSince = seen < acknowledged ? missingSince ?? asked : Close(missingSince, asked);
                }

                await Task.Delay(Interval, _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            Close(missingSince, Stopwatch.GetTimestamp());
        }
    }

    // From question to question: how long the server takes to answer is not part of the gap.
    private long? Close(long? missingSince, long now)
    {
        if (missingSince is { } since && Stopwatch.GetElapsedTime(since, now) > LongestGap)
        {
            LongestGap = Stopwatch.GetElapsedTime(since, now);
        }

        return null;
    }

    /// <summary>Null when the server did not answer: then nothing was seen, and nothing was missing.</summary>
    private async Task<long?> CountAsync(ClickHouseGateway gateway, string countSql)
    {
        try
        {
            return await gateway.ScalarAsync<long>(countSql, ct: _stop.Token);
        }
        catch (ClickHouseException)
        {
            return null;
        }
    }
}
