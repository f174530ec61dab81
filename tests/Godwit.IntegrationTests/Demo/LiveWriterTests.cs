using Godwit.Cli.Demo;
using Godwit.ClickHouse;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Demo;

/// <summary>The writers and the oracle, which other tests stand on, must themselves see every difference.</summary>
public sealed class LiveWriterTests(RealEngine real)
{
    private static readonly SqlRows Rows = new("id", "number");

    [Fact]
    public async Task What_was_acknowledged_is_there_once_also_when_an_insert_is_slow()
    {
        using var gateway = real.Engine.Gateway();
        var table = await CreateAsync(gateway, "t");
        await using var quick = LiveWriter.Start(gateway, new LiveWriterOptions { Table = table, Rows = Rows, Writers = 2 });
        await using var slow = LiveWriter.Start(
            gateway,
            new LiveWriterOptions { Table = table, Rows = Rows with { Duration = TimeSpan.FromSeconds(4) }, Writers = 1, FirstWriter = 2, BatchRows = 4 },
            quick.Log);
        await using var streamed = LiveWriter.Start(
            gateway,
            new LiveWriterOptions
            {
                Table = table,
                Rows = new FormatRows("id", "TabSeparated", id => $"{id}\n") { Duration = TimeSpan.FromSeconds(1) },
                Writers = 1,
                FirstWriter = 3,
                BatchRows = 4,
            },
            quick.Log);
        await Task.Delay(500, TestContext.Current.CancellationToken);
        await Task.WhenAll(quick.StopAsync(), slow.StopAsync(), streamed.StopAsync());

        var verdict = await new WriterOracle(gateway, table, "id").CompareAsync(quick.Log, TestContext.Current.CancellationToken);
        quick.Log.Refusals().ShouldBeEmpty();
        quick.Log.Acknowledged().Count.ShouldBe(4);
        quick.Log.LatencyMs(1, 0, long.MaxValue).ShouldBeGreaterThan(3900);
        verdict.ShouldBe(new OracleVerdict(verdict.Expected, verdict.Expected, 0, 0, 0, verdict.Examples));
        verdict.IsRight.ShouldBeTrue();
    }

    [Fact]
    public async Task A_lost_and_a_repeated_row_are_found_and_named()
    {
        using var gateway = real.Engine.Gateway();
        var table = await CreateAsync(gateway, "t");
        var log = await WriteAWhileAsync(gateway, table);
        var (lost, repeated) = (WriterLog.FirstId(0) + 3, WriterLog.FirstId(1) + 7);
        await gateway.ExecuteAsync($"DELETE FROM {table.ToSql()} WHERE id = {lost}", ct: TestContext.Current.CancellationToken);
        await gateway.ExecuteAsync($"INSERT INTO {table.ToSql()} VALUES ({repeated})", ct: TestContext.Current.CancellationToken);

        var verdict = await new WriterOracle(gateway, table, "id").CompareAsync(log, TestContext.Current.CancellationToken);
        (verdict.Lost, verdict.Duplicated, verdict.IsRight).ShouldBe((1, 1, false));
        verdict.Examples.ShouldBe([$"lost: id {lost}", $"there 2 times: id {repeated}"]);
    }

    [Fact]
    public async Task An_exchange_is_retried_and_rows_that_stay_behind_are_lost()
    {
        using var gateway = real.Engine.Gateway();
        var table = await CreateAsync(gateway, "t");
        var other = table with { Table = "u" };
        await gateway.ExecuteAsync($"CREATE TABLE {other.ToSql()} AS {table.ToSql()}", ct: TestContext.Current.CancellationToken);
        var log = await WriteAWhileAsync(gateway, table, async () =>
        {
            for (var i = 0; i < 30; i++)
            {
                await gateway.ExecuteAsync($"EXCHANGE TABLES {table.ToSql()} AND {other.ToSql()}");
            }
        });

        var oracle = new WriterOracle(gateway, table, "id");
        var apart = await oracle.CompareAsync(log, TestContext.Current.CancellationToken);
        apart.Lost.ShouldBeGreaterThan(0);
        await gateway.ExecuteAsync($"INSERT INTO {table.ToSql()} SELECT * FROM {other.ToSql()}", ct: TestContext.Current.CancellationToken);
        var together = await oracle.CompareAsync(log, TestContext.Current.CancellationToken);

        // With exchanges this close together a retry may meet the next one; then it is refused, and its rows may not be missed.
        (together.Lost, together.Duplicated).ShouldBe((0, 0), string.Join('\n', log.Refusals()));
    }

    [Fact]
    public async Task What_is_abandoned_is_unknown_and_what_is_refused_is_counted()
    {
        using var gateway = real.Engine.Gateway();
        var table = await CreateAsync(gateway, "t");
        var slow = LiveWriter.Start(gateway, new LiveWriterOptions { Table = table, Rows = Rows with { Duration = TimeSpan.FromSeconds(20) }, BatchRows = 20 });
        await Task.Delay(300, TestContext.Current.CancellationToken);
        await slow.DisposeAsync();
        (slow.Log.UnknownWrites, slow.Log.RefusedWrites, slow.Log.AcknowledgedRows).ShouldBe((4, 0, 0));

        var wrong = LiveWriter.Start(gateway, new LiveWriterOptions { Table = table, Rows = new SqlRows("id", "no_such_column"), Writers = 1 });
        await Task.Delay(300, TestContext.Current.CancellationToken);
        await wrong.StopAsync();
        wrong.Log.RefusedWrites.ShouldBeGreaterThan(0);
        wrong.Log.Refusals()[0].ShouldContain("no_such_column");
        await wrong.DisposeAsync();
    }

    private static async Task<WriterLog> WriteAWhileAsync(ClickHouseGateway gateway, QualifiedName table, Func<Task>? meanwhile = null)
    {
        await using var writer = LiveWriter.Start(gateway, new LiveWriterOptions { Table = table, Rows = Rows });
        await Task.Delay(500);
        if (meanwhile is not null)
        {
            await meanwhile();
        }

        await writer.StopAsync();
        return writer.Log;
    }

    private async Task<QualifiedName> CreateAsync(ClickHouseGateway gateway, string name)
    {
        var table = new QualifiedName(await real.Engine.NewDatabaseAsync(), name);
        await gateway.ExecuteAsync($"CREATE TABLE {table.ToSql()} (id Int64) ENGINE = MergeTree ORDER BY id");
        return table;
    }
}
