using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Inspection;
using Godwit.IntegrationTests.Rebuild;
using Godwit.Rebuild;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Inspection;

/// <summary>Which queries get faster or slower, measured on a sample.</summary>
public sealed class EstimateTests(LoggedEngine logged) : IClassFixture<LoggedEngine>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Queries_by_the_new_key_get_faster_and_those_by_the_old_key_slower()
    {
        await using var c = await WorkloadTests.EventsAsync(logged.Engine);
        var inDatabase = new QueryOptions { Database = c.Database };
        await c.Gateway.ExecuteAsync("SELECT sum(v) FROM t WHERE t.user = 5 FORMAT Null", inDatabase, Ct);
        await c.SqlAsync(
            "WITH q AS (SELECT * FROM @t WHERE @t.ts < '2026-01-01 00:10:00') SELECT sum(q.v) FROM q FORMAT Null",
            "SELECT sum(v) FROM @t AS a WHERE a.v > 3 SETTINGS max_threads = 1 FORMAT Null",
            "SELECT sum(v) FROM @t WHERE user IN (SELECT toUInt32(number) FROM numbers(3)) FORMAT Null",
            "CREATE VIEW @w AS SELECT * FROM @t",
            "SELECT sum(v) FROM @w WHERE user = 6 FORMAT Null");
        var everything = await c.EverythingAsync();

        var estimate = await c.Migrator.EstimateAsync(new RebuildRequest { Table = c.Table, OrderBy = "user, ts" }, 1, Ct);

        estimate.Unavailable.ShouldBeNull();
        (estimate.Basis, estimate.SampleRows, estimate.TotalRows, estimate.Resolution).ShouldBe(("measured on all 200,000 rows", 200_000, 200_000, 8192));
        QueryChange Of(string text) => estimate.Queries.Single(q => q.Text.Contains(text, StringComparison.Ordinal));
        var faster = Of("t.user = 5");
        (faster.Verdict, faster.RowsNow, faster.RowsBefore, faster.RowsAfter).ShouldBe((QueryVerdict.Faster, 200_000, 200_000, 8192));
        var slower = Of("WITH q");
        (slower.Verdict, slower.RowsBefore, slower.RowsAfter).ShouldBe((QueryVerdict.Slower, 8192, 200_000));
        Of("a.v > 3").Verdict.ShouldBe(QueryVerdict.Same);
        (Of("numbers(3)").Verdict, Of("numbers(3)").Reason).ShouldBe((QueryVerdict.Unknown, "it reads a table function, which could reach out of the server"));
        (Of("user = 6").Verdict, Of("user = 6").Reason).ShouldBe((QueryVerdict.Unknown, "it reads the table in a way that the sample cannot take the place of, such as through a view"));
        estimate.SourceBytes.ShouldBeGreaterThan(0);
        ((double)estimate.CopyBytes!.Value).ShouldBe(estimate.SourceBytes * estimate.BytesRatio!.Value, 1);
        estimate.CopySeconds!.Value.ShouldBe(200_000 / estimate.RowsPerSecond!.Value, 0.001);
        (await c.EverythingAsync()).ShouldBe(everything);
        (await SamplesAsync(c.Gateway)).ShouldBe(0);
    }

    [Fact]
    public async Task A_large_table_is_read_in_windows_and_its_figures_are_those_of_the_whole()
    {
        await using var c = await WorkloadTests.EventsAsync(logged.Engine, 6_000_000);
        await c.SqlAsync(
            "SELECT sum(v) FROM @t WHERE user = 5 FORMAT Null",
            "SELECT sum(v) FROM @t WHERE user < 500 FORMAT Null",
            "SELECT sum(v) FROM @t WHERE ts < toDateTime('2026-01-01 00:00:00') + 600000 FORMAT Null");

        var estimate = await c.Migrator.EstimateAsync(new RebuildRequest { Table = c.Table, OrderBy = "user, ts" }, 1, Ct);

        // Drawn by chance: one in six rows, give or take far more than ever happens.
        estimate.SampleRows.ShouldBeInRange(980_000, 1_020_000);
        QueryChange Of(string text) => estimate.Queries.Single(q => q.Text.Contains(text, StringComparison.Ordinal));
        estimate.Resolution.ShouldBeInRange(8000, 8400);
        Of("user = 5 ").RowsAfter!.Value.ShouldBeLessThan(3 * 8400);
        var tenth = Of("user < 500");
        tenth.RowsNow.ShouldBe(6_000_000);
        tenth.RowsBefore!.Value.ShouldBeInRange(5_900_000, 6_100_000);
        tenth.RowsAfter!.Value.ShouldBeInRange(560_000, 650_000);
        var byTime = Of("600000");
        byTime.RowsNow!.Value.ShouldBeInRange(600_000, 620_000);
        byTime.RowsBefore!.Value.ShouldBeInRange(500_000, 700_000);
        byTime.Verdict.ShouldBe(QueryVerdict.Slower);
    }

    [Fact]
    public async Task A_sample_whose_parts_were_merged_away_is_drawn_anew()
    {
        await using var c = await RebuildCase.NewAsync(logged.Engine);
        await c.SqlAsync("CREATE TABLE @t (a UInt64) ENGINE = MergeTree ORDER BY a", "INSERT INTO @t SELECT number FROM numbers(4500000)");
        var table = await TableReader.ReadAsync(c.Gateway, c.Table, Ct);
        List<long> found = [];

        var rows = await RowSample.ReadAsync(
            c.Gateway,
            table,
            async sample =>
            {
                if (found.Count == 0)
                {
                    await c.SqlAsync("OPTIMIZE TABLE @t FINAL");
                }

                found.Add(await c.Gateway.ScalarAsync<long>($"SELECT count() FROM ({sample.Select("a")})", ct: Ct));
                return found[^1];
            },
            Ct);

        found.ShouldBe([0, rows]);
        rows.ShouldBeInRange(980_000, 1_020_000);
    }

    [Fact]
    public async Task Hostile_texts_in_the_log_do_nothing()
    {
        await using var c = await WorkloadTests.EventsAsync(logged.Engine);
        await c.SqlAsync(
            "SELECT sum(v) FROM @t WHERE user = 5 /* ; DROP TABLE @t */ SETTINGS max_execution_time = 0, readonly = 0, max_threads = 1 -- x\n FORMAT Null",
            "SELECT sum(v) FROM @t WHERE user = (SELECT toUInt32(sum(sleepEachRow(1)) * 0 + 3) FROM (SELECT 1 UNION ALL SELECT 2)) FORMAT Null",
            "SELECT count(), '; DROP TABLE x; <script>' FROM @t WHERE country = '''; DROP TABLE x' FORMAT Null");
        var everything = await c.EverythingAsync();
        var files = Directory.GetFiles(logged.Engine.Folder).Length;

        var estimate = await c.Migrator.EstimateAsync(new RebuildRequest { Table = c.Table, OrderBy = "user" }, 1, Ct);

        estimate.Queries.Count.ShouldBe(3);
        estimate.Queries.Single(q => q.Text.Contains("max_threads", StringComparison.Ordinal)).Verdict.ShouldBe(QueryVerdict.Faster);
        estimate.Queries.Single(q => q.Text.Contains("<script>", StringComparison.Ordinal)).Reason.ShouldBeNull();
        (await c.EverythingAsync()).ShouldBe(everything);
        Directory.GetFiles(logged.Engine.Folder).Length.ShouldBe(files);
    }

    [Fact]
    public async Task New_columns_types_partitions_and_engines_are_measured_too()
    {
        await using var c = await RebuildCase.NewAsync(logged.Engine);
        await c.SqlAsync(
            """
            CREATE TABLE @t (id UInt64, ts DateTime, s String, m UInt64 MATERIALIZED id * 2, a UInt64 ALIAS id, INDEX i s TYPE bloom_filter GRANULARITY 1, PROJECTION p (SELECT count() GROUP BY s))
            ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(ts) ORDER BY id TTL ts + INTERVAL 1 DAY DELETE SETTINGS deduplicate_merge_projection_mode = 'drop', merge_with_ttl_timeout = 1000000, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1
            """,
            "SYSTEM STOP TTL MERGES @t",
            "INSERT INTO @t (id, ts, s) SELECT number, toDateTime('2020-01-01 00:00:00') + number * 600, toString(number) FROM numbers(50000)",
            "SELECT count() FROM @t FINAL WHERE s = '77' FORMAT Null");

        var estimate = await c.Migrator.EstimateAsync(
            new RebuildRequest { Table = c.Table, OrderBy = "s, id", PartitionBy = "toYear(ts)", Engine = "ReplacingMergeTree(n)", AddColumns = ["n UInt8 DEFAULT 1"], ModifyColumns = ["s LowCardinality(String)"], DropColumns = [] }, 1, Ct);

        estimate.Unavailable.ShouldBeNull();
        estimate.SampleRows.ShouldBe(50_000);
        estimate.Queries.ShouldHaveSingleItem().Reason.ShouldBeNull();
        estimate.BytesRatio!.Value.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Refusals_are_results()
    {
        await using var c = await WorkloadTests.EventsAsync(logged.Engine);
        await c.SqlAsync("CREATE VIEW @v AS SELECT 1 AS a", "TRUNCATE TABLE @t");

        (await c.Migrator.EstimateAsync(new RebuildRequest { Table = c.Table, OrderBy = "no_such" }, 1, Ct)).Unavailable!.ShouldContain("The server refuses the definition");
        (await c.Migrator.EstimateAsync(new RebuildRequest { Table = new QualifiedName(c.Database, "v"), OrderBy = "a" }, 1, Ct)).Unavailable!.ShouldContain("is a view");
        (await c.Migrator.EstimateAsync(new RebuildRequest { Table = c.Table, OrderBy = "user" }, 1, Ct)).Basis.ShouldContain("nothing could be measured");
        await Should.ThrowAsync<InvalidRequestException>(() => c.Migrator.EstimateAsync(new RebuildRequest { Table = c.Table }, 1, Ct));
    }

    [Fact]
    public async Task A_right_that_is_missing_is_told()
    {
        await using var c = await WorkloadTests.EventsAsync(logged.Engine);
        using var network = new NoTemporaryTables();
        using var gateway = logged.Engine.Gateway(network);

        var estimate = await new RebuildEstimator(gateway, TimeProvider.System).EstimateAsync(new RebuildRequest { Table = c.Table, OrderBy = "user" }, 1, Ct);

        estimate.Unavailable.ShouldBe(
            $"No sample could be made on {gateway.Name}: default: Not enough privileges. An estimate needs the right CREATE ARBITRARY TEMPORARY TABLE, and to read the table.");
    }

    [Fact]
    public async Task A_lost_session_never_writes_to_the_table_itself()
    {
        await using var c = await WorkloadTests.EventsAsync(logged.Engine);
        var table = new QualifiedName("default", $"t{c.Database}");
        await c.SqlAsync($"CREATE TABLE {table.ToSql()} (id UInt64) ENGINE = MergeTree ORDER BY id", $"INSERT INTO {table.ToSql()} VALUES (1)");
        using var network = new AnotherServer($"INSERT INTO {Sql.Identifier(table.Table)}");
        using var gateway = logged.Engine.Gateway(network);

        var estimate = await new RebuildEstimator(gateway, TimeProvider.System).EstimateAsync(new RebuildRequest { Table = table, OrderBy = "id % 2, id" }, 1, Ct);

        estimate.Unavailable!.ShouldContain("Session", Case.Insensitive);
        (await c.AskAsync<long>($"SELECT toInt64(count()) FROM {table.ToSql()}")).ShouldBe(1);
        await c.SqlAsync($"DROP TABLE {table.ToSql()} SYNC");
    }

    [Fact]
    public async Task A_cancelled_estimate_leaves_no_statement_and_no_table()
    {
        await using var c = await WorkloadTests.EventsAsync(logged.Engine, 6_000_000);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Ct);

        var estimate = c.Migrator.EstimateAsync(new RebuildRequest { Table = c.Table, OrderBy = "user" }, 1, cancel.Token);
        await Wait.UntilAsync(async () => estimate.IsCompleted || await RunningAsync(c.Gateway) > 0, Ct);
        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => estimate);
        (await RunningAsync(c.Gateway)).ShouldBe(0);
        (await SamplesAsync(c.Gateway)).ShouldBe(0);
    }

    /// <summary>A server whose user may make no table for a sample; the embedded one has no users.</summary>
    private sealed class NoTemporaryTables() : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (!(await request.Content!.ReadAsStringAsync(cancellationToken)).StartsWith("CREATE TEMPORARY TABLE `godwit_rows_", StringComparison.Ordinal))
            {
                return await base.SendAsync(request, cancellationToken);
            }

            var refusal = new HttpResponseMessage(System.Net.HttpStatusCode.Forbidden) { Content = new StringContent("Code: 497. DB::Exception: default: Not enough privileges. (ACCESS_DENIED)") };
            refusal.Headers.Add("X-ClickHouse-Exception-Code", "497");
            return refusal;
        }
    }

    /// <summary>A balancer that sends some statements to a server where their session is not known.</summary>
    private sealed class AnotherServer(string statement) : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if ((await request.Content!.ReadAsStringAsync(cancellationToken)).StartsWith(statement, StringComparison.Ordinal))
            {
                request.RequestUri = new Uri(request.RequestUri!.ToString().Replace("session_id=godwit-", "session_id=other-", StringComparison.Ordinal));
            }

            return await base.SendAsync(request, cancellationToken);
        }
    }

    private static Task<long> RunningAsync(ClickHouseGateway gateway) =>
        gateway.ScalarAsync<long>("SELECT toInt64(count()) FROM system.processes WHERE startsWith(query_id, 'godwit-sample-') AND query_kind = 'Insert'", ct: Ct);

    private static Task<long> SamplesAsync(ClickHouseGateway gateway) =>
        gateway.ScalarAsync<long>("SELECT toInt64(count()) FROM system.parts WHERE active AND database = '_temporary_and_external_tables'", ct: Ct);
}
