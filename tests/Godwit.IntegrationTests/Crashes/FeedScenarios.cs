using Godwit.Fixtures;
using Godwit.IntegrationTests.Kafka;
using Godwit.Rebuild;
using static Godwit.IntegrationTests.Crashes.RebuildScenarios;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>Rebuilds of a table that Kafka feeds.</summary>
internal static class FeedScenarios
{
    // A consumer that has only just begun would not pass these, and a broker this old does not tell what it keeps.
    private static readonly RebuildRequest Held = Sorted with { Accept = ["kafka-messages", "kafka-rebalances", "kafka-retention"] };
    private static readonly RebuildRequest Twice = Sorted with { Strategy = "second-consumer", Identity = "id", MaterializeLater = true };
    private static readonly RebuildRequest Renamed = Held with { OrderBy = "(shard, id)", PartitionBy = null };
    private static readonly string[] KeptRenamed = ["t_godwit_{run}_r"];
    private static readonly string[] KeptTwice = ["t_godwit_{run}", "t_godwit_{run}_q", "t_godwit_{run}_q_f"];

    public static readonly CrashScenario[] OfOldServers =
    [
        new("held view", ByKey, Renamed) { HasFeed = true, HasBroker = true, IsOld = true, Keeps = KeptRenamed },
        new("rollback of a held view", ByKey, Renamed) { Verb = "rollback", HasFeed = true, HasBroker = true, IsOld = true, Keeps = KeptRenamed },
    ];

    public static readonly CrashScenario[] OfNewServers =
    [
        new("held feed", ByKey, Held) { HasFeed = true, HasBroker = true, Meanwhile = Writers },
        new("rollback of a held feed", ByKey, Held) { Verb = "rollback", HasFeed = true, HasBroker = true, Before = Writers[..2], Meanwhile = WritersOfUndo },
        new("second consumer", ByKey, Twice) { HasFeed = true, HasBroker = true, Keeps = KeptTwice, Meanwhile = Writers },
        new("second consumer, distributed", ByKey, Twice) { HasFeed = true, HasBroker = true, IsSpread = true, Keeps = [.. KeptTwice, "t_godwit_{run}_s"], Meanwhile = Writers },
        new("rollback of a second consumer", ByKey, Twice)
        {
            Verb = "rollback",
            HasFeed = true,
            HasBroker = true,
            Keeps = KeptTwice,
            Before = Writers[..2],
            Meanwhile = [("Fact rolling-back", CrashTable.Insert("t", 3100, 20)), ("Fact swapped/backward", CrashTable.Insert("t", 3300, 20)), ("Outcome exchange", CrashTable.InsertLate(100))],
        },
        new("cleanup of a second consumer", ByKey, Twice) { Verb = "cleanup", HasFeed = true, HasBroker = true },
    ];
}
