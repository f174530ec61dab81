using System.Diagnostics;
using Godwit.ClickHouse;
using Godwit.Metadata.Sqlite;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Bench;

/// <summary>A partition that does not fit into memory, the hard-link path, and a plan of ten thousand partitions.</summary>
internal static class OtherFigures
{
    public static async Task BigPartitionAsync(Bench bench, long rows)
    {
        Report.Head($"{rows:N0} rows in one partition under a budget of 2 GB");
        await bench.MakeEventsAsync("big", rows, 1);
        var times = await bench.RebuildAsync(
            new RebuildRequest { Table = new QualifiedName(Bench.Database, "big"), OrderBy = Bench.NewKey },
            new RunOptions { DropRetired = true, Memory = 2L << 30 });
        Report.Say("copied at", $"{rows / times.Copy:N0} rows/s");
        await bench.ExecuteAsync($"DROP TABLE {Bench.Database}.big SYNC");
    }

    public static async Task LinkAsync(Bench bench, long rows)
    {
        Report.Head("Only the engine changes: hard links");
        double first = 0;
        foreach (var size in new[] { rows / 10, rows })
        {
            await bench.MakeEventsAsync("linked", size, 6);
            await bench.ExecuteAsync($"CREATE TABLE {Bench.Database}.replacing AS {Bench.Database}.linked ENGINE = ReplacingMergeTree(_timestamp) PARTITION BY toYYYYMM(timestamp) ORDER BY (team_id, toDate(timestamp), distinct_id, uuid)");
            await bench.ExecuteAsync($"ALTER TABLE {Bench.Database}.replacing ATTACH PARTITION ALL FROM {Bench.Database}.linked");
            var times = await bench.RebuildAsync(
                new RebuildRequest { Table = new QualifiedName(Bench.Database, "replacing"), Engine = "MergeTree" }, new RunOptions { DropRetired = true });
            first = first == 0 ? times.Total : first;
            Report.Line($"whole rebuild of {size:N0} rows", times.Total, times.Total / first, "aim: independent of rows");
            await bench.ExecuteAsync($"DROP TABLE {Bench.Database}.replacing SYNC");
        }
    }

    public static async Task ManyPartitionsAsync(Bench bench, int partitions, string folder)
    {
        Report.Head($"A plan of {partitions:N0} partitions");
        await bench.ExecuteAsync($"CREATE TABLE {Bench.Database}.many (a UInt64, b UInt64) ENGINE = MergeTree PARTITION BY a ORDER BY b");
        await bench.ExecuteAsync(
            $"INSERT INTO {Bench.Database}.many SELECT number, number FROM numbers({partitions}) SETTINGS max_partitions_per_insert_block = 0, throw_on_max_partitions_per_insert_block = 0");
        await using var store = await SqliteStore.OpenAsync(Path.Combine(folder, "many.db"));
        var migrator = new Migrator(bench.Gateway, store);
        var watch = Stopwatch.StartNew();
        var proposal = await migrator.ProposeAsync(new RebuildRequest { Table = new QualifiedName(Bench.Database, "many"), OrderBy = "(a, b)" }, new RunOptions());
        await migrator.CreateRunAsync(proposal.Plan!, new RunOptions());
        Report.Say("planned and stored in", $"{watch.Elapsed.TotalSeconds:0.00} s", "aim: 2 s plus the server's time");
        Report.Say("memory of this process", $"{Environment.WorkingSet >> 20} MB", "aim: below 150 MB");
    }
}
