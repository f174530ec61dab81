using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.IntegrationTests.Kafka;
using Godwit.Rebuild;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>Wherever Godwit or the server is killed, the run goes on to the same end.</summary>
/// <remarks>
/// GODWIT_CRASH_ALL=1 walks all points of all scenarios, GODWIT_CRASH_POINTS=37:after,38:before only these, GODWIT_CRASH_SCENARIO=copy those of one.
/// </remarks>
public sealed class CrashWalkTests(RealEngine real, RealKafka kafka, ITestOutputHelper output)
{
    private const string Plain = "ENGINE = MergeTree PARTITION BY shard ORDER BY key";
    private static readonly bool All = Environment.GetEnvironmentVariable("GODWIT_CRASH_ALL") == "1";
    private static readonly string[]? Only = Environment.GetEnvironmentVariable("GODWIT_CRASH_POINTS")?.Split(',');
    private static readonly string? One = Environment.GetEnvironmentVariable("GODWIT_CRASH_SCENARIO");
    private static readonly RebuildRequest Nothing = new() { Table = new QualifiedName("", "") };
    private static readonly RebuildRequest Sorted = Nothing with { OrderBy = "(shard, id)", PartitionBy = "key % 2" };

    private static readonly RebuildRequest Twice = Sorted with { Strategy = "second-consumer", Identity = "id" };
    private static readonly string[] KeptTwice = ["t_godwit_{run}", "t_godwit_{run}_q", "t_godwit_{run}_q_f"];

    private static readonly (string Entry, IReadOnlyList<string> Statements)[] Writers =
    [
        ("Fact base", CrashTable.Insert("t", 2000, 20)),
        ("Fact verified/forward", CrashTable.Insert("t", 2100, 20)),
        ("Outcome exchange", CrashTable.InsertLate(0)),
    ];

    private static readonly (string Entry, IReadOnlyList<string> Statements)[] WritersOfUndo =
    [
        ("Fact rolling-back", CrashTable.Insert("t", 3100, 20)),
        ("Fact round/backward", CrashTable.Insert("t", 3200, 20)),
        ("Fact exchange/backward", CrashTable.Insert("t", 3300, 20)),
        ("Outcome exchange", CrashTable.InsertLate(100)),
    ];

    private const string Migration = """
        name: crash
        description: SQL, a rebuild and SQL again
        operations:
          - sql:
              - CREATE TABLE {db}.made (id UInt64, n Int64) ENGINE = MergeTree ORDER BY id
              - INSERT INTO {db}.made SELECT id, n FROM {db}.t WHERE id < 300
            undo: DROP TABLE {db}.made SYNC
          - rebuild: {db}.t
            orderBy: (shard, id)
          - sql: ALTER TABLE {db}.t ADD COLUMN extra UInt8
            undo: ALTER TABLE {db}.t DROP COLUMN extra
        """;

    private const string Operations = """
        name: crash
        description: Every other kind of operation
        operations:
          - create: CREATE TABLE {db}.copied (id UInt64, shard UInt8, n Int64) ENGINE = MergeTree PARTITION BY shard ORDER BY id
          - copy: {db}.t
            to: {db}.copied
            key: id
            columns: { id: id, shard: shard, n: n }
            batchRows: 120
          - mutate: {db}.copied
            command: UPDATE n = n + 5 WHERE id % 2 = 0
            undo: UPDATE n = 1 WHERE 1
          - create: CREATE TABLE {db}.aside AS {db}.copied
          - movePartition: {db}.copied
            partition: "0"
            to: {db}.aside
          - dropPartition: {db}.copied
            partition: "1"
          - replacePartition: {db}.copied
            partition: "0"
            from: {db}.aside
          - create: CREATE MATERIALIZED VIEW {db}.watch TO {db}.aside AS SELECT id, shard, n FROM {db}.copied
          - detach: {db}.watch
          - drop: {db}.copied
        """;

    private static readonly string[] Kept = ["copied_godwit_{run}", "copied_godwit_{run}_k"];

    private static readonly CrashScenario[] Scenarios =
    [
        new("copy", Plain, Sorted) { Meanwhile = Writers },
        new("repair", Plain, Sorted)
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
        new("alter", Plain, Nothing with { AddColumns = ["extra LowCardinality(String) DEFAULT 'none'"], ModifyColumns = ["n Int64 CODEC(ZSTD(1))"] }),
        new("static", Plain, Sorted with { Strategy = "static" }) { HasWriters = false },
        new("rollback after completion", Plain, Sorted) { Verb = "rollback", Before = Writers[..2], Meanwhile = WritersOfUndo },
        new("rollback of a copy", Plain, Sorted) { Verb = "rollback", Before = Writers[..2], Halt = "=Fact attached/forward-round-1:before", Meanwhile = WritersOfUndo },
        new("rollback of a cutover", Plain, Sorted) { Verb = "rollback", Before = Writers[..2], Halt = "=Outcome exchange:before", Meanwhile = WritersOfUndo },
        new("rollback of a link", "ENGINE = ReplacingMergeTree(n) PARTITION BY shard ORDER BY (key, id)", Nothing with { Engine = "MergeTree", Accept = ["key-identity"] })
        {
            Verb = "rollback",
            Before = Writers[..2],
            Meanwhile = WritersOfUndo,
        },
        new("rollback of an alter", Plain, Nothing with { AddColumns = ["extra UInt8"] }) { Verb = "rollback", Halt = "=run Completed:before" },
        new("held feed", Plain, Sorted with { Accept = KafkaFeed.NoBroker }) { HasFeed = true, Meanwhile = Writers },
        new("rollback of a held feed", Plain, Sorted with { Accept = KafkaFeed.NoBroker }) { Verb = "rollback", HasFeed = true, Before = Writers[..2], Meanwhile = WritersOfUndo },
        new("second consumer", Plain, Twice) { HasFeed = true, HasBroker = true, Keeps = KeptTwice, Meanwhile = Writers },
        new("rollback of a second consumer", Plain, Twice)
        {
            Verb = "rollback",
            HasFeed = true,
            HasBroker = true,
            Keeps = KeptTwice,
            Before = Writers[..2],
            Meanwhile = [("Fact rolling-back", CrashTable.Insert("t", 3100, 20)), ("Fact swapped/backward", CrashTable.Insert("t", 3300, 20)), ("Outcome exchange", CrashTable.InsertLate(100))],
        },
        new("cleanup of a second consumer", Plain, Twice) { Verb = "cleanup", HasFeed = true, HasBroker = true },
        new("cleanup", Plain, Sorted) { Verb = "cleanup" },
        new("migration", Plain, Nothing) { Migration = Migration, Meanwhile = Writers, Makes = ["made"] },
        new("operations", Plain, Nothing) { Migration = Operations, HasWriters = false, Makes = ["aside"], Keeps = Kept },
        new("rollback of operations", Plain, Nothing) { Migration = Operations, Verb = "rollback", HasWriters = false, Makes = ["aside"], Keeps = Kept },
        new("rollback of a migration", Plain, Nothing) { Migration = Migration, Verb = "rollback", Before = Writers[..2], Meanwhile = WritersOfUndo },
    ];

    /// <summary>All but the main one.</summary>
    public static TheoryData<string> Others => [.. Scenarios.Skip(1).Where(s => s.Migration is null).Select(s => s.Name)];

    [Fact]
    public Task A_copy_goes_on_to_the_same_end_wherever_Godwit_is_killed() => WalkAsync(real.Engine, "copy", 16, CrashKind.GodwitKilled);

    [Theory]
    [MemberData(nameof(Others))]
    public Task Other_runs_go_on_to_the_same_end_wherever_Godwit_is_killed(string scenario) => WalkAsync(real.Engine, scenario, 4, CrashKind.GodwitKilled);

    [Theory]
    [InlineData("copy", 8)]
    [InlineData("link", 4)]
    [InlineData("rollback after completion", 5)]
    [InlineData("cleanup", 4)]
    public Task A_process_that_was_frozen_past_its_lease_does_nothing_when_it_wakes_up(string scenario, int most) =>
        WalkAsync(real.Engine, scenario, most, CrashKind.GodwitFrozen);

    /// <summary>What becomes of somebody else's SQL is read in the server's log.</summary>
    [Theory]
    [InlineData("migration")]
    [InlineData("rollback of a migration")]
    [InlineData("operations")]
    [InlineData("rollback of operations")]
    public async Task A_migration_goes_on_to_the_same_end_wherever_Godwit_is_killed(string scenario)
    {
        await using var engine = await EngineFixture.StartAsync(hasQueryLog: true);
        await WalkAsync(engine, scenario, 5, CrashKind.GodwitKilled);
    }

    [Theory]
    [InlineData("migration")]
    [InlineData("rollback of a migration")]
    public async Task A_migration_that_is_kept_in_PostgreSQL_goes_on_to_the_same_end_wherever_Godwit_is_killed(string scenario)
    {
        await using var engine = await EngineFixture.StartAsync(hasQueryLog: true);
        await using var postgres = await PostgresFixture.StartAsync();
        await WalkAsync(engine, scenario, 4, CrashKind.GodwitKilled, postgres);
    }

    [Theory]
    [InlineData("copy")]
    [InlineData("link")]
    [InlineData("rollback after completion")]
    [InlineData("operations")]
    [InlineData("rollback of operations")]
    public async Task A_run_goes_on_to_the_same_end_wherever_the_server_is_killed(string scenario)
    {
        await using var engine = await EngineFixture.StartAsync(hasQueryLog: true);
        await WalkAsync(engine, scenario, 4, CrashKind.ServerKilled);
    }

    private async Task WalkAsync(EngineFixture engine, string name, int most, CrashKind kind, PostgresFixture? postgres = null)
    {
        Assert.SkipWhen(One is not null && One != name, $"Only {One} is walked.");
        var scenario = Scenarios.Single(s => s.Name == name);
        var walk = new CrashWalk(engine, scenario, kind, postgres, scenario.HasBroker ? await kafka.BrokerAsync() : null);
        var (points, failures) = await walk.WalkAsync(All ? int.MaxValue : most, Only, output.WriteLine);
        output.WriteLine($"{name}: {points} points walked, {failures.Count} failures");
        failures.ShouldBeEmpty();
    }
}
