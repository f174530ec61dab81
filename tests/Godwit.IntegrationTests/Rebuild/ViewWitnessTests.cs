using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>
/// What materialized views see of inserts that meet the exchange. The writers' INSERT … SELECT find their table at once and its views
/// two seconds later, so about twenty of them miss all views at any exchange.
/// </summary>
public sealed class ViewWitnessTests(RealEngine real)
{
    private const int Batch = 10;
    private const int ViolatedConstraint = 469;
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    [Theory]
    [InlineData("MergeTree")]
    [InlineData("ReplacingMergeTree(id)")]
    [InlineData("CollapsingMergeTree(sign)")]
    public async Task A_view_gets_every_row_once(string engine)
    {
        await using var c = await CaseAsync(engine);
        await c.SqlAsync(
            "CREATE TABLE @seen (id UInt64) ENGINE = MergeTree ORDER BY id",
            "CREATE MATERIALIZED VIEW @v TO @seen AS SELECT id FROM @t",
            "CREATE TABLE @chained (id UInt64) ENGINE = MergeTree ORDER BY id",
            "CREATE MATERIALIZED VIEW @w TO @chained AS SELECT id FROM @seen",
            "CREATE TABLE @aliases (id UInt64, k UInt8) ENGINE = MergeTree ORDER BY id",
            "CREATE MATERIALIZED VIEW @a TO @aliases AS SELECT k = 0 AS k, id FROM @t WHERE k",
            "CREATE MATERIALIZED VIEW @sums ENGINE = SummingMergeTree ORDER BY k AS SELECT t.k AS k, count() AS c FROM @t WHERE t.double = 2 * t.id GROUP BY k");
        await using var writers = new Writers(c, "number");

        await c.RebuildAsync(new RebuildRequest { Table = c.Table, OrderBy = "(k, id)", AddColumns = ["extra UInt8 DEFAULT 7"], Accept = ["key-identity"] }, "block-log");
        var inserted = await writers.EndAsync();

        var expected = await c.AskAsync<string>($"SELECT toString((count(), sum(number))) FROM numbers({inserted})");
        (await c.AskAsync<string>("SELECT toString((count(), sum(id))) FROM @seen")).ShouldBe(expected);
        (await c.AskAsync<string>("SELECT toString((count(), sum(id))) FROM @chained")).ShouldBe(expected);
        (await c.AskAsync<string>("SELECT toString((count(), sum(id))) FROM @aliases"))
            .ShouldBe(await c.AskAsync<string>($"SELECT toString((count(), sum(number))) FROM numbers({inserted}) WHERE number % 3 = 0"), "an alias hides the column of its name");
        (await c.AskAsync<long>("SELECT sum(c) FROM @sums")).ShouldBe(inserted);
    }

    [Fact]
    public async Task A_view_gets_every_row_once_when_the_exchange_is_undone()
    {
        await using var c = await CaseAsync("MergeTree");
        await c.SqlAsync("CREATE TABLE @seen (id UInt64) ENGINE = MergeTree ORDER BY id", "CREATE MATERIALIZED VIEW @v TO @seen AS SELECT id FROM @t");
        await using var writers = new Writers(c, "number");
        var status = await c.RunAsync(new RebuildRequest { Table = c.Table, OrderBy = "(k, id)" });

        (await c.Migrator.RollbackAsync(status.RunId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.RolledBack);
        var inserted = await writers.EndAsync();

        (await c.AskAsync<string>("SELECT toString((count(), uniqExact(id))) FROM @t")).ShouldBe($"({inserted},{inserted})");
        (await c.AskAsync<string>("SELECT toString((count(), uniqExact(id))) FROM @seen")).ShouldBe($"({inserted},{inserted})");
    }

    [Fact]
    public async Task A_feed_that_was_cut_off_is_told_to_a_person_and_not_repeated()
    {
        // Rows that the view's target does not take: an INSERT of them succeeds only when it misses the view.
        await using var c = await CaseAsync("MergeTree");
        await c.SqlAsync(
            "CREATE TABLE @seen (id UInt64, CONSTRAINT none CHECK id = 0) ENGINE = MergeTree ORDER BY id",
            "CREATE MATERIALIZED VIEW @v TO @seen AS SELECT id FROM @t");
        await using var writers = new Writers(c, "number + 1");

        var failed = await c.RunAsync(new RebuildRequest { Table = c.Table, OrderBy = "(k, id)" });
        await writers.EndAsync();
        var asked = await c.Migrator.ResumeAsync(failed.RunId, ct: RebuildCase.Ct);
        var done = await c.Migrator.ResumeAsync(failed.RunId, ct: RebuildCase.Ct);

        (failed.State, asked.State, done.State).ShouldBe((RunState.Failed, RunState.NeedsOperator, RunState.Completed), failed.Problem);
        failed.Problem!.ShouldContain("Constraint");
        asked.Problem!.ShouldContain($"{c.Database}.v");
        asked.Problem!.ShouldContain("rows had met the exchange");
    }

    [Fact]
    public async Task A_view_of_a_table_that_folds_rows_when_it_stores_them_is_refused()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(
            "CREATE TABLE @t (id UInt64, n UInt64) ENGINE = SummingMergeTree ORDER BY id",
            "CREATE MATERIALIZED VIEW @v ENGINE = MergeTree ORDER BY id AS SELECT id FROM @t");

        var proposal = await c.Migrator.ProposeAsync(new RebuildRequest { Table = c.Table, PartitionBy = "id % 2" }, new RunOptions(), RebuildCase.Ct);

        proposal.Plan.ShouldBeNull();
        proposal.Checks.Where(r => r.Blocks).Select(r => r.Check).ShouldBe(["view-race"]);
    }

    private async Task<RebuildCase> CaseAsync(string engine)
    {
        var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(
            $"CREATE TABLE @t (id UInt64, k UInt8, missing UInt8 DEFAULT 3, sign Int8 DEFAULT 1, document JSON DEFAULT '{{\"a\":1}}', double UInt64 MATERIALIZED id * 2) ENGINE = {engine} ORDER BY id");
        return c;
    }

    /// <summary>Inserts that overlap, until they are told to end.</summary>
    private sealed class Writers : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly RebuildCase _case;
        private readonly string _id;
        private readonly Task<long> _writing;

        public Writers(RebuildCase c, string id)
        {
            (_case, _id) = (c, id);
            _writing = WriteAsync();
        }

        /// <summary>Returns how many rows were sent.</summary>
        public async Task<long> EndAsync()
        {
            await _stop.CancelAsync();
            return await _writing;
        }

        public async ValueTask DisposeAsync()
        {
            await EndAsync();
            _stop.Dispose();
        }

        private async Task<long> WriteAsync()
        {
            List<Task> inserts = [];
            while (!_stop.IsCancellationRequested)
            {
                inserts.Add(InsertAsync(inserts.Count * Batch));
                await Task.Delay(Between);
            }

            await Task.WhenAll(inserts);
            return inserts.Count * Batch;
        }

        private async Task InsertAsync(int first)
        {
            var insert = $"INSERT INTO @t (id, k) SELECT {_id}, number % 3 FROM numbers({first}, {Batch}) WHERE (SELECT sleep(2)) = 0";
            try
            {
                await _case.SqlAsync(insert);
            }
            catch (ClickHouseException e) when (e.Code == ClickHouseErrorCodes.TableUuidMismatch)
            {
                await _case.SqlAsync(insert);
            }
            catch (ClickHouseException e) when (e.Code == ViolatedConstraint)
            {
                // The view got it.
            }
        }
    }
}
