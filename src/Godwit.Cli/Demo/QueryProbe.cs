using System.Diagnostics;
using Godwit.ClickHouse;

namespace Godwit.Cli.Demo;

/// <summary>How a query fares: its answer, how many rows the server must read for it, and how long it takes.</summary>
/// <param name="Answer">All values of its one row, as text.</param>
/// <param name="RowsRead">Rows of the granules that the key does not rule out.</param>
/// <param name="Milliseconds">The best of some runs.</param>
internal sealed record QueryFigures(string Answer, long RowsRead, double Milliseconds)
{
    private const int Runs = 5;

    /// <summary>Measures a query that reads one table.</summary>
    public static async Task<QueryFigures> MeasureAsync(ClickHouseGateway gateway, string sql, CancellationToken ct)
    {
        // The server remembers which granules a condition did not match; that would measure its memory, not the key.
        var options = new QueryOptions { Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["use_query_condition_cache"] = "0" } };
        var best = TimeSpan.MaxValue;
        var answer = "";
        for (var run = 0; run < Runs; run++)
        {
            var began = Stopwatch.GetTimestamp();
            var row = (await gateway.QueryAsync(sql, options, ct))[0];
            var took = Stopwatch.GetElapsedTime(began);
            best = took < best ? took : best;
            answer = string.Join(", ", row.Columns.Select(c => $"{c} {row[c]}"));
        }

        var estimate = await gateway.QueryAsync($"EXPLAIN ESTIMATE {sql}", options, ct);
        return new QueryFigures(answer, estimate.Sum(r => r.Int64("rows")), Math.Round(best.TotalMilliseconds, 1));
    }
}
