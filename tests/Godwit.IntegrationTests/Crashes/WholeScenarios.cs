using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.IntegrationTests.Kafka;
using Godwit.Rebuild;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>Rebuilds that copy whole partitions while the writers pause: all of those on an old server, and those of tables whose merges fold rows.</summary>
internal static class WholeScenarios
{
    private const string Sums = "ENGINE = SummingMergeTree(n) PARTITION BY shard ORDER BY key";
    private const string FiguresOfSums = "sum(n), sum(n * key), uniqExact(key)";

    private static readonly RebuildRequest Sorted = new() { Table = new QualifiedName("", ""), OrderBy = "(shard, id)", PartitionBy = "key % 2", Strategy = "static" };
    private static readonly RebuildRequest SameParts = Sorted with { PartitionBy = null };
    private static readonly RebuildRequest SumsSorted = new() { Table = Sorted.Table, OrderBy = "(shard, key)", Accept = ["key-identity", .. KafkaFeed.NoBroker] };
    private static readonly string[] Renamed = ["t_godwit_{run}_r"];

    // Before the pause, while the new table is put together, and between the last look and the names.
    private static readonly (string Entry, IReadOnlyList<string> Statements)[] Writers =
    [
        ("Fact whole/forward/0", CrashTable.Insert("t", 2000, 20)),
        ("Outcome assemble", CrashTable.Insert("t", 2100, 20)),
        ("Fact take-over/forward", CrashTable.Insert("t", 2200, 20)),
    ];

    private static readonly (string Entry, IReadOnlyList<string> Statements)[] WritersOfUndo =
    [
        ("Fact rolling-back", CrashTable.Insert("t", 3100, 20)),
        ("Outcome assemble", CrashTable.Insert("t", 3200, 20)),
        ("Fact take-over/backward", CrashTable.Insert("t", 3300, 20)),
    ];

    public static readonly CrashScenario[] OfOldServers =
    [
        new("renamed", RebuildScenarios.ByKey, Sorted) { HasWriters = false, Meanwhile = Writers, Keeps = Renamed },
        new("renamed, written to", RebuildScenarios.ByKey, SameParts) { Keeps = Renamed },
        new("rollback of renamed", RebuildScenarios.ByKey, SameParts) { Verb = "rollback", HasWriters = false, Meanwhile = WritersOfUndo, Keeps = Renamed },
        new("rollback of renamed, other partitions", RebuildScenarios.ByKey, Sorted) { Verb = "rollback", Keeps = Renamed },
        new("rollback of renamed, untouched", RebuildScenarios.ByKey, SameParts) { Verb = "rollback", HasWriters = false, Keeps = Renamed },
        new("rollback of renamed, in the middle", RebuildScenarios.ByKey, SameParts) { Verb = "rollback", Halt = "=Outcome exchange:before", HasWriters = false, Keeps = Renamed },
        new("cleanup of renamed", RebuildScenarios.ByKey, Sorted) { Verb = "cleanup", Keeps = Renamed },
    ];

    public static readonly CrashScenario[] OfNewServers =
    [
        new("exchanged", Sums, SumsSorted) { HasFeed = true, HasWriters = false, Meanwhile = Writers, Figures = FiguresOfSums },
        new("rollback of exchanged", Sums, SumsSorted) { Verb = "rollback", HasFeed = true, HasWriters = false, Meanwhile = WritersOfUndo, Figures = FiguresOfSums },
        new("rollback of exchanged, untouched", Sums, SumsSorted) { Verb = "rollback", HasFeed = true, HasWriters = false, Figures = FiguresOfSums },
    ];
}
