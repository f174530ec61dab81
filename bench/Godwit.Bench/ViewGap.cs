using Godwit.ClickHouse;

namespace Godwit.Bench;

/// <summary>How often an insert that meets EXCHANGE TABLES misses a materialized view: why a rebuild stands a witness beside the views.</summary>
internal static class ViewGap
{
    private const int Exchanges = 500;
    private const int Batch = 10;

    public static async Task RunAsync(Bench bench)
    {
        Report.Head($"Inserts that a view missed, of {Exchanges} exchanges under four writers without pause");
        Report.Say("inserts", $"{await MissedAsync(bench)}");
    }

    private static async Task<long> MissedAsync(Bench bench)
    {
        await bench.ExecuteAsync($"DROP DATABASE IF EXISTS views SYNC");
        await bench.ExecuteAsync("CREATE DATABASE views ENGINE = Atomic");
        foreach (var table in new[] { "a", "b", "seen" })
        {
            await bench.ExecuteAsync($"CREATE TABLE views.{table} (id UInt64) ENGINE = MergeTree ORDER BY id");
        }

        await bench.ExecuteAsync("CREATE MATERIALIZED VIEW views.v TO views.seen AS SELECT id FROM views.a");

        var isOver = false;
        var next = 0L;
        var writers = Enumerable.Range(0, 4).Select(_ => Task.Run(WriteAsync)).ToList();
        for (var i = 0; i < Exchanges; i++)
        {
            await Task.Delay(30);
            await bench.ExecuteAsync("EXCHANGE TABLES views.a AND views.b");
        }

        Volatile.Write(ref isOver, true);
        await Task.WhenAll(writers);
        return await bench.Gateway.ScalarAsync<long>("SELECT intDiv((SELECT count() FROM views.a) + (SELECT count() FROM views.b) - (SELECT count() FROM views.seen), 10)");

        async Task WriteAsync()
        {
            while (!Volatile.Read(ref isOver))
            {
                try
                {
                    await bench.ExecuteAsync($"INSERT INTO views.a SELECT number FROM numbers({Interlocked.Add(ref next, Batch)}, {Batch})");
                }
                catch (ClickHouseException e) when (e.Code == ClickHouseErrorCodes.TableUuidMismatch)
                {
                    // Nothing was written, so no view could miss it.
                }
            }
        }
    }
}
