using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Testing;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>What materialized views see of inserts that meet the exchange.</summary>
public sealed class ViewTwinsTests(RealEngine real)
{
    private const int Batch = 10;
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    [Fact]
    public async Task An_insert_that_found_the_table_before_the_exchange_and_its_views_after_it_feeds_them()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(
            "CREATE TABLE @t (id UInt64, k UInt8) ENGINE = MergeTree ORDER BY id",
            "CREATE TABLE @seen (id UInt64) ENGINE = MergeTree ORDER BY id",
            "CREATE MATERIALIZED VIEW @v TO @seen AS SELECT id FROM @t",
            "CREATE MATERIALIZED VIEW @sums ENGINE = SummingMergeTree ORDER BY k AS SELECT t.k AS k, count() AS c FROM @t WHERE t.id >= 0 GROUP BY k");
        using var stop = new CancellationTokenSource();
        var writing = WriteAsync(c, stop.Token);

        await c.RebuildAsync(new RebuildRequest { Table = c.Table, OrderBy = "(k, id)" }, "block-log");
        await stop.CancelAsync();
        var inserted = await writing;

        (await c.AskAsync<long>("SELECT count() FROM @t")).ShouldBe(inserted);
        (await c.AskAsync<long>("SELECT count() - uniqExact(id) FROM @seen")).ShouldBe(0);

        // Without twins every one of the twenty that are under way at any moment is missed; one in some thousand meets the server's own gap.
        (inserted - await c.AskAsync<long>("SELECT count() FROM @seen")).ShouldBeInRange(0, Batch);
        (inserted - await c.AskAsync<long>("SELECT sum(c) FROM @sums")).ShouldBeInRange(0, Batch);
        (await c.AskAsync<string>($"SELECT arrayStringConcat(arraySort(groupArray(name)), ' ') FROM system.tables WHERE database = '{c.Database}' AND name LIKE '%\\_v%'"))
            .ShouldBeEmpty("the twins are gone");
    }

    private static async Task<long> WriteAsync(RebuildCase c, CancellationToken ct)
    {
        List<Task> inserts = [];
        try
        {
            while (true)
            {
                inserts.Add(InsertAsync(c, inserts.Count * Batch));
                await Task.Delay(Between, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await Task.WhenAll(inserts);
            return inserts.Count * Batch;
        }
    }

    private static async Task InsertAsync(RebuildCase c, int first)
    {
        var insert = $"INSERT INTO @t (id, k) SELECT number, number % 3 FROM numbers({first}, {Batch}) WHERE (SELECT sleep(2)) = 0";
        try
        {
            await c.SqlAsync(insert);
        }
        catch (ClickHouseException e) when (e.Code == ClickHouseErrorCodes.TableUuidMismatch)
        {
            await c.SqlAsync(insert);
        }
    }
}
