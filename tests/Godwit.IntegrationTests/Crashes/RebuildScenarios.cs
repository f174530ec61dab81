using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Rebuild;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>Rebuilds with writers, and what undoes and ends them.</summary>
internal static class RebuildScenarios
{
    public const string ByKey = "ENGINE = MergeTree PARTITION BY shard ORDER BY key";

    public static readonly RebuildRequest Nothing = new() { Table = new QualifiedName("", "") };
    public static readonly RebuildRequest Sorted = Nothing with { OrderBy = "(shard, id)", PartitionBy = "key % 2" };

    /// <summary>Rows before the copy, between the copy and the names, and one that is late.</summary>
    public static readonly (string Entry, IReadOnlyList<string> Statements)[] Writers =
    [
        ("Fact base", CrashTable.Insert("t", 2000, 20)),
        ("Fact verified/forward", CrashTable.Insert("t", 2100, 20)),
        ("Outcome exchange", CrashTable.InsertLate(0)),
    ];

    /// <summary>The same on the way back.</summary>
    public static readonly (string Entry, IReadOnlyList<string> Statements)[] WritersOfUndo =
    [
        ("Fact rolling-back", CrashTable.Insert("t", 3100, 20)),
        ("Fact round/backward", CrashTable.Insert("t", 3200, 20)),
        ("Fact exchange/backward", CrashTable.Insert("t", 3300, 20)),
        ("Outcome exchange", CrashTable.InsertLate(100)),
    ];

    public static readonly CrashScenario[] All =
    [
        new("copy", ByKey, Sorted) { Meanwhile = Writers },
        new("repair", ByKey, Sorted)
        {
            Meanwhile =
            [
                ("Outcome attach/forward-base-0", [.. new[] { "t", "ledger" }.Select(t => $"ALTER TABLE {{db}}.{t} UPDATE n = n + 1 WHERE shard = 0 SETTINGS mutations_sync = 1")]),
            ],
        },
        new("link", "ENGINE = ReplacingMergeTree(n) PARTITION BY shard ORDER BY (key, id)", Nothing with { Engine = "MergeTree", Accept = ["key-identity"] }) { Meanwhile = Writers },
        new("sum", "ENGINE = SummingMergeTree(n) PARTITION BY shard ORDER BY key", Nothing with { OrderBy = "(shard, key)", Accept = ["key-identity", "view-race"] })
        {
            Meanwhile = Writers,
            Figures = "sum(n), sum(n * key), uniqExact(key)",
        },
        new("alter", ByKey, Nothing with { AddColumns = ["extra LowCardinality(String) DEFAULT 'none'"], ModifyColumns = ["n Int64 CODEC(ZSTD(1))"] }),
        new("static", ByKey, Sorted with { Strategy = "static" }) { HasWriters = false },
        new("rollback after completion", ByKey, Sorted) { Verb = "rollback", Before = Writers[..2], Meanwhile = WritersOfUndo },
        new("rollback of a copy", ByKey, Sorted) { Verb = "rollback", Before = Writers[..2], Halt = "=Fact attached/forward-round-1:before", Meanwhile = WritersOfUndo },
        new("rollback of a cutover", ByKey, Sorted) { Verb = "rollback", Before = Writers[..2], Halt = "=Outcome exchange:before", Meanwhile = WritersOfUndo },
        new("rollback of a link", "ENGINE = ReplacingMergeTree(n) PARTITION BY shard ORDER BY (key, id)", Nothing with { Engine = "MergeTree", Accept = ["key-identity"] })
        {
            Verb = "rollback",
            Before = Writers[..2],
            Meanwhile = WritersOfUndo,
        },
        new("rollback of an alter", ByKey, Nothing with { AddColumns = ["extra UInt8"] }) { Verb = "rollback", Halt = "=run Completed:before" },
        new("cleanup", ByKey, Sorted) { Verb = "cleanup" },
    ];
}
