using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.IntegrationTests.ClickHouse;
using Godwit.Rebuild;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Inspection;

/// <summary>What the server of 2018 can tell, and that it says what it cannot.</summary>
public sealed class OldServerInspectionTests(OldServer server) : IClassFixture<OldServer>, IAsyncLifetime
{
    private static readonly QualifiedName Table = new("look", "<b>a'b");
    private ClickHouseGateway _gateway = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _gateway = new ClickHouseGateway(new ClickHouseOptions { Url = server.Url });
        foreach (var sql in new[]
        {
            "CREATE DATABASE look",
            $"CREATE TABLE {Table.ToSql()} (id UInt64, day Date DEFAULT toDate('2018-12-01')) ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY id",
            $"INSERT INTO {Table.ToSql()} (id) SELECT number FROM numbers(100)",
            "CREATE TABLE look.target (id UInt64) ENGINE = MergeTree ORDER BY id",
            $"CREATE MATERIALIZED VIEW look.v TO look.target AS SELECT id FROM {Table.ToSql()}",
            "CREATE TABLE look.m (id UInt64) ENGINE = Memory",
        })
        {
            await _gateway.ExecuteAsync(sql, ct: Ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.ExecuteAsync("DROP DATABASE look", ct: Ct);
        _gateway.Dispose();
    }

    [Fact]
    public async Task Its_status_has_no_disks_and_no_memory_limit()
    {
        var node = (await new NodeReader(_gateway, new ClusterMap(_gateway, null), null).ReadAsync(Ct)).ShouldHaveSingleItem();

        (node.Answers, node.Problem, node.Version, node.MemoryLimit, node.WaitingMutations, node.ReplicationDelaySeconds).ShouldBe((true, null, "18.16.1", null, 0, null));
        node.Notes.ShouldBeEmpty();
        node.Disks.ShouldBeEmpty();
        node.MostParts.ShouldBe(new PartitionLoad(Table.ToString(), "201812", 1, 300));
    }

    [Fact]
    public async Task Its_tables_are_listed()
    {
        var page = await new TableListReader(_gateway).ReadAsync(new TableFilter { Search = "LOOK." }, 10, 0, Ct);

        page.Tables.Select(t => (t.Table.Table, t.Rows, t.CanBeRebuilt)).ShouldBe([(Table.Table, 100L, true), ("target", 0L, true), ("m", null, false)]);
    }

    [Fact]
    public async Task A_table_is_told_as_far_as_it_goes()
    {
        var detail = (await new TableDetailReader(_gateway, Table).ReadAsync(Ct))!;
        var target = (await new TableDetailReader(_gateway, Table with { Table = "target" }).ReadAsync(Ct))!;

        detail.Keys.ShouldBe(new TableKeys("id", "id", "toYYYYMM(day)", ""));
        detail.Columns.Select(c => (c.Name, c.Codec, c.DefaultExpression)).ShouldBe([("id", "", ""), ("day", "", "toDate('2018-12-01')")]);
        var partition = detail.Partitions.ShouldHaveSingleItem();
        (partition.Rows, partition.From).ShouldBe((100, new DateTimeOffset(2018, 12, 1, 0, 0, 0, TimeSpan.Zero)));
        detail.ViewsFrom.ShouldHaveSingleItem().Target.ShouldBe(target.Table);
        target.ViewsInto.ShouldHaveSingleItem().View.Table.ShouldBe("v");
    }

    [Fact]
    public async Task It_says_why_it_has_no_workload_and_no_estimate()
    {
        (await new WorkloadReader(_gateway).ReadAsync(Table, 7, Ct)).Unavailable!.ShouldContain("has no system.query_log");
        (await new RebuildEstimator(_gateway, TimeProvider.System).EstimateAsync(new RebuildRequest { Table = Table, OrderBy = "day" }, 7, Ct)).Unavailable!.ShouldContain("too old");
        (await new SelectivityReader(_gateway).SuggestAsync(Table, 7, Ct)).None!.ShouldContain("has no system.query_log");
        (await new SelectivityReader(_gateway).ReadAsync(Table, [], 7, Ct)).Unavailable!.ShouldContain("too old");
    }
}
