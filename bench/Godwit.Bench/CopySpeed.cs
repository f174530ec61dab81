using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Bench;

/// <summary>
/// How fast a quiet table gets another sorting key, until every partition is one part: Godwit against one hand-tuned
/// INSERT … SELECT and against the naive one. Take the ratios, not the seconds.
/// </summary>
internal static class CopySpeed
{
    private static readonly string Tuned =
        " SETTINGS min_insert_block_size_rows = 200000, min_insert_block_size_bytes = 0, max_block_size = 200000, optimize_on_insert = 0, "
        + $"max_threads = {Environment.ProcessorCount}, max_insert_threads = {Environment.ProcessorCount}";

    public static async Task RunAsync(Bench bench, long rows, int rounds)
    {
        Report.Head($"Copy of {rows:N0} rows in 6 months into another key (medians of {rounds} interleaved runs, and of their ratios)");
        await bench.MakeEventsAsync("events", rows, 6);
        List<double> tunedInsert = [], tunedMerged = [], naiveMerged = [], godwitInsert = [], verify = [];
        for (var round = 0; round < rounds; round++)
        {
            var (_, naive) = await PlainAsync(bench, "");
            naiveMerged.Add(naive);
            var (insert, merged) = await PlainAsync(bench, Tuned);
            tunedInsert.Add(insert);
            tunedMerged.Add(merged);
            var times = await GodwitAsync(bench, rows);
            Report.Say($"round {round + 1}: tuned {insert:0.00} s, {merged:0.00} s; godwit", $"{times.Copy:0.00} s");
            godwitInsert.Add(times.Copy);
            verify.Add(times.Verify);
        }

        var godwit = Median(godwitInsert);
        Report.Line("naive INSERT SELECT, merged", Median(naiveMerged), 1);
        Report.Line("tuned INSERT SELECT, insert only", Median(tunedInsert), 1);
        Report.Line("tuned INSERT SELECT, merged", Median(tunedMerged), 1);
        Report.Line("godwit, insert only, against tuned", godwit, Ratio(tunedInsert), "aim: at least 1.15");
        Report.Line("godwit, one part per partition, against tuned", godwit, Ratio(tunedMerged), "aim: at least 1.80");
        Report.Line("godwit, one part per partition, against naive", godwit, Ratio(naiveMerged), "aim: at least 2.70");
        Report.Line("godwit, verification on top of the copy", Median(verify), Ratio(verify), "aim: at most 0.20");

        // Of what ran in the same minute: machines that are shared have slow hours.
        double Ratio(List<double> others) => Median(others.Zip(godwitInsert, (other, own) => other / own).ToList());
    }

    private static async Task<(double Insert, double Merged)> PlainAsync(Bench bench, string settings)
    {
        await bench.MakeTargetAsync("plain", "events");
        await bench.ExecuteAsync($"SYSTEM STOP MERGES {Bench.Database}.plain");
        await Bench.SettleAsync();
        var insert = await Bench.TimeAsync(() => bench.ExecuteAsync($"INSERT INTO {Bench.Database}.plain SELECT * FROM {Bench.Database}.events{settings}"));
        await bench.ExecuteAsync($"SYSTEM START MERGES {Bench.Database}.plain");
        var merge = await Bench.TimeAsync(() => bench.ExecuteAsync($"OPTIMIZE TABLE {Bench.Database}.plain FINAL"));
        await bench.ExecuteAsync($"DROP TABLE {Bench.Database}.plain SYNC");
        return (insert, insert + merge);
    }

    private static async Task<RebuildTimes> GodwitAsync(Bench bench, long rows)
    {
        // A hard-linked twin, so that every round begins with the same table.
        await bench.ExecuteAsync($"DROP TABLE IF EXISTS {Bench.Database}.twin SYNC");
        await bench.ExecuteAsync($"CREATE TABLE {Bench.Database}.twin AS {Bench.Database}.events");
        await bench.ExecuteAsync($"ALTER TABLE {Bench.Database}.twin ATTACH PARTITION ALL FROM {Bench.Database}.events");
        await Bench.SettleAsync();
        var times = await bench.RebuildAsync(
            new RebuildRequest { Table = new QualifiedName(Bench.Database, "twin"), OrderBy = Bench.NewKey },
            new RunOptions { DropRetired = true });
        var parts = await bench.Gateway.ScalarAsync<long>($"SELECT count() FROM system.parts WHERE database = '{Bench.Database}' AND table = 'twin' AND active");
        var present = await bench.Gateway.ScalarAsync<long>($"SELECT count() FROM {Bench.Database}.twin");
        Report.Say("godwit left", $"{parts} parts, {present:N0} rows", present == rows / 6 * 6 ? "" : "WRONG NUMBER OF ROWS");
        return times;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
