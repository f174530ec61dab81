using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Inspection;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Inspection;

/// <summary>Two shards that keep a log of their queries.</summary>
public sealed class ComparisonClusterTests : IAsyncLifetime
{
    private IReadOnlyList<EngineFixture> _shards = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _shards = await EngineFixture.StartClusterAsync("pair", 2);

    public async ValueTask DisposeAsync()
    {
        foreach (var shard in _shards)
        {
            await shard.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_distributed_table_is_compared_by_the_rows_of_all_its_shards()
    {
        foreach (var shard in _shards)
        {
            await SqlAsync(
                shard,
                "CREATE DATABASE d ENGINE = Atomic",
                "CREATE TABLE d.local (id UInt64, day Date) ENGINE = MergeTree PARTITION BY day ORDER BY id",
                "CREATE TABLE d.events AS d.local ENGINE = Distributed(pair, d, local)",
                $"INSERT INTO d.local SELECT number * 2 + {_shards.ToList().IndexOf(shard)}, toDate('2026-01-01') + number % 3 FROM numbers(30)");
        }

        await SqlAsync(_shards[0], "CREATE TABLE d.whole AS d.local", "INSERT INTO d.whole SELECT * FROM d.events WHERE id != 7");
        using var gateway = _shards[0].Gateway();

        var found = await CompareAsync(gateway, "d.whole", r => r with { By = ["id"], Where = "id != 3" });

        (found.Rows, found.Ids!.Unique).ShouldBe((new ComparisonRow(null, 59, 58), new ComparisonRow(null, 59, 58)));
        found.Cuts.Select(c => (c.Kind, c.Keys, c.Rows.Single())).ShouldBe([
            (CutKind.Partition, 3, new("2026-01-01", 20, 19)), (CutKind.Day, 3, new("2026-01-01", 20, 19)), (CutKind.Column, 59, new("7", 1, 0))]);

        await _shards[1].KillAsync();
        (await Should.ThrowAsync<ClickHouseException>(() => CompareAsync(gateway, "d.whole", r => r with { Where = "id != 3" }))).Message.ShouldContain("ALL_CONNECTION_TRIES_FAILED");
    }

    [Fact]
    public async Task Only_the_columns_that_are_counted_by_are_read_and_each_cut_is_one_statement()
    {
        await SqlAsync(
            _shards[0],
            "CREATE DATABASE d ENGINE = Atomic",
            "CREATE TABLE d.events (id UInt64, day Date, text String, team UInt8) ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY id",
            "INSERT INTO d.events SELECT number, toDate('2026-01-01') + number % 100, repeat('x', 100), number % 200 FROM numbers(10000)");
        using var gateway = _shards[0].Gateway();

        (await CompareAsync(gateway, "d.events", r => r with { By = ["team"], Where = "id > 5" })).IsSame.ShouldBeTrue();

        await SqlAsync(_shards[0], "SYSTEM FLUSH LOGS");
        var log = await gateway.QueryAsync(
            "SELECT arrayStringConcat(arraySort(columns), ',') AS used FROM system.query_log WHERE type = 'QueryFinish' AND startsWith(query_id, 'godwit-look-') ORDER BY event_time_microseconds", ct: Ct);
        log.Select(r => r["used"].Replace("d.events.", "", StringComparison.Ordinal)).ShouldBe(["id", "id", "day,id", "day,id", "day,id", "id,team", "id"]);
    }

    private static Task<Comparison> CompareAsync(ClickHouseGateway gateway, string b, Func<ComparisonRequest, ComparisonRequest> with) =>
        Comparison.MakeAsync(gateway, with(new ComparisonRequest(TableOrPattern.Parse("d.events"), TableOrPattern.Parse(b))), Ct);

    private static async Task SqlAsync(EngineFixture engine, params string[] statements)
    {
        using var gateway = engine.Gateway();
        foreach (var statement in statements)
        {
            await gateway.ExecuteAsync(statement, ct: Ct);
        }
    }
}
