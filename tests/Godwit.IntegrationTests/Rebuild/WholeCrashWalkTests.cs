using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.IntegrationTests.ClickHouse;
using Godwit.IntegrationTests.Kafka;
using Godwit.Rebuild;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>Wherever Godwit or the server is killed while whole partitions are copied and names change hands, the run goes on to the same end.</summary>
/// <remarks>The variables are those of <see cref="CrashWalkTests"/>.</remarks>
public sealed class WholeCrashWalkTests(RealEngine real, OldServer old, ITestOutputHelper output) : IClassFixture<OldServer>
{
    private const string Plain = "ENGINE = MergeTree PARTITION BY shard ORDER BY key";
    private const string Sums = "ENGINE = SummingMergeTree(n) PARTITION BY shard ORDER BY key";
    private const string FiguresOfSums = "sum(n), sum(n * key), uniqExact(key)";
    private static readonly bool All = Environment.GetEnvironmentVariable("GODWIT_CRASH_ALL") == "1";
    private static readonly string[]? Only = Environment.GetEnvironmentVariable("GODWIT_CRASH_POINTS")?.Split(',');
    private static readonly string? One = Environment.GetEnvironmentVariable("GODWIT_CRASH_SCENARIO");

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

    private static readonly CrashScenario[] OfOldServers =
    [
        new("renamed", Plain, Sorted) { HasWriters = false, Meanwhile = Writers, Keeps = Renamed },
        new("renamed, written to", Plain, SameParts) { Keeps = Renamed },
        new("rollback of renamed", Plain, SameParts) { Verb = "rollback", HasWriters = false, Meanwhile = WritersOfUndo, Keeps = Renamed },
        new("rollback of renamed, other partitions", Plain, Sorted) { Verb = "rollback", Keeps = Renamed },
        new("rollback of renamed, untouched", Plain, SameParts) { Verb = "rollback", HasWriters = false, Keeps = Renamed },
        new("rollback of renamed, in the middle", Plain, SameParts) { Verb = "rollback", Halt = "=Outcome exchange:before", HasWriters = false, Keeps = Renamed },
        new("cleanup of renamed", Plain, Sorted) { Verb = "cleanup", Keeps = Renamed },
    ];

    private static readonly CrashScenario[] OfNewServers =
    [
        new("exchanged", Sums, SumsSorted) { HasFeed = true, HasWriters = false, Meanwhile = Writers, Figures = FiguresOfSums },
        new("rollback of exchanged", Sums, SumsSorted) { Verb = "rollback", HasFeed = true, HasWriters = false, Meanwhile = WritersOfUndo, Figures = FiguresOfSums },
        new("rollback of exchanged, untouched", Sums, SumsSorted) { Verb = "rollback", HasFeed = true, HasWriters = false, Figures = FiguresOfSums },
    ];

    public static TheoryData<string> OldNames => [.. OfOldServers.Select(s => s.Name)];

    public static TheoryData<string> NewNames => [.. OfNewServers.Select(s => s.Name)];

    [Theory]
    [MemberData(nameof(OldNames))]
    public Task On_an_old_server_a_run_goes_on_to_the_same_end_wherever_Godwit_is_killed(string scenario) =>
        WalkAsync(old.Fixture, OfOldServers, scenario, 5, CrashKind.GodwitKilled);

    [Theory]
    [MemberData(nameof(NewNames))]
    public Task A_run_goes_on_to_the_same_end_wherever_Godwit_is_killed(string scenario) => WalkAsync(real.Engine, OfNewServers, scenario, 5, CrashKind.GodwitKilled);

    [Theory]
    [InlineData("renamed")]
    [InlineData("rollback of renamed")]
    public async Task On_an_old_server_a_run_goes_on_to_the_same_end_wherever_the_server_is_killed(string scenario)
    {
        await using var server = new OldServerFixture();
        await server.StartAsync();
        await WalkAsync(server, OfOldServers, scenario, 4, CrashKind.ServerKilled);
    }

    [Fact]
    public async Task A_run_goes_on_to_the_same_end_wherever_the_server_is_killed()
    {
        await using var engine = await EngineFixture.StartAsync();
        await WalkAsync(engine, OfNewServers, "exchanged", 4, CrashKind.ServerKilled);
    }

    [Fact]
    public Task A_process_that_was_frozen_past_its_lease_does_nothing_when_it_wakes_up() => WalkAsync(old.Fixture, OfOldServers, "renamed", 4, CrashKind.GodwitFrozen);

    private async Task WalkAsync(IServerFixture server, CrashScenario[] scenarios, string name, int most, CrashKind kind)
    {
        Assert.SkipWhen(One is not null && One != name, $"Only {One} is walked.");
        var walk = new CrashWalk(server, scenarios.Single(s => s.Name == name), kind);
        var (points, failures) = await walk.WalkAsync(All ? int.MaxValue : most, Only, output.WriteLine);
        output.WriteLine($"{name}: {points} points walked, {failures.Count} failures");
        failures.ShouldBeEmpty();
    }
}
