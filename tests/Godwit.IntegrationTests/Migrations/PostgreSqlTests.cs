using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Migrations;
using Godwit.Migrations.Yaml;
using Godwit.Runs;
using Npgsql;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>One PostgreSQL for all tests here.</summary>
public sealed class ApplicationPostgres : IAsyncLifetime
{
    private PostgresFixture? _server;

    public PostgresFixture Server => _server!;

    public async ValueTask InitializeAsync() => _server = await PostgresFixture.StartAsync();

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>Statements on PostgreSQL happen once or not at all, and rows come from there into ClickHouse.</summary>
public sealed class PostgreSqlTests(RealEngine real, ApplicationPostgres postgres) : IClassFixture<ApplicationPostgres>
{
    private const string Twice = """
        name: m
        description: For a test
        operations:
          - postgresql:
              - CREATE TABLE {db}.made (n integer)
              - INSERT INTO {db}.made VALUES (1), (2)
            undo: DROP TABLE {db}.made
          - postgresql: INSERT INTO {db}.log VALUES ('done')
            undo: INSERT INTO {db}.log VALUES ('undone')
        """;

    [Fact]
    public async Task Statements_are_done_and_undone()
    {
        await using var c = await MigrationCase.NewAsync(real.Engine);
        await using var source = await NewAsync(c);
        var migrator = Knows(c, source, Twice);

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await AskAsync(source, $"SELECT count(*)::text FROM {c.Database}.made")).ShouldBe("2");
        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await AskAsync(source, $"SELECT to_regclass('{c.Database}.made')::text")).ShouldBe("");
        (await AskAsync(source, $"SELECT string_agg(what, ' ') FROM {c.Database}.log")).ShouldBe("done undone");
    }

    [Fact]
    public async Task A_statement_that_fails_takes_those_before_it_along_and_the_run_goes_on_when_it_is_mended()
    {
        await using var c = await MigrationCase.NewAsync(real.Engine);
        await using var source = await NewAsync(c);
        var migrator = Knows(c, source, Twice.Replace("VALUES (1), (2)", "SELECT n FROM {db}.later", StringComparison.Ordinal));

        var failed = await MigrationCase.RunAsync(migrator, "m");

        failed.State.ShouldBe(RunState.Failed);
        failed.Problem!.ShouldContain("later");
        (await AskAsync(source, $"SELECT to_regclass('{c.Database}.made')::text")).ShouldBe("");
        await ExecuteAsync(source, $"CREATE TABLE {c.Database}.later AS SELECT 1 AS n");
        (await migrator.ResumeAsync(failed.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);
    }

    [Fact]
    public async Task A_statement_that_takes_too_long_is_ended()
    {
        await using var c = await MigrationCase.NewAsync(real.Engine);
        await using var source = await NewAsync(c);
        var migrator = Knows(c, source, "name: m\ndescription: For a test\noperations:\n  - postgresql: SELECT pg_sleep(60)\n    timeout: 0.2s\n    undo: []\n");

        var failed = await MigrationCase.RunAsync(migrator, "m");

        failed.State.ShouldBe(RunState.Failed);
        failed.Problem!.ShouldContain("longer than its timeout");
    }

    [Fact]
    public async Task A_statement_without_a_time_of_its_own_has_that_of_the_run()
    {
        await using var c = await MigrationCase.NewAsync(real.Engine);
        await using var source = await NewAsync(c);
        foreach (var operation in new[] { "postgresql: SELECT pg_sleep(60)", "sql: SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 60000000" })
        {
            var migrator = Knows(c, source, $"name: m\ndescription: For a test\noperations:\n  - {operation}\n    undo: []\n");

            var failed = await migrator.RunAsync(await MigrationCase.CreateAsync(migrator, "m", new RunOptions { StatementTimeout = TimeSpan.FromSeconds(0.3) }), ct: MigrationCase.Ct);

            failed.State.ShouldBe(RunState.Failed);
            failed.Problem!.ShouldContain("longer than its timeout");
            (await migrator.RollbackAsync(failed.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        }
    }

    [Fact]
    public async Task What_PostgreSQL_refuses_in_a_transaction_is_sent_alone()
    {
        await using var c = await MigrationCase.NewAsync(real.Engine);
        await using var source = await NewAsync(c);
        var migrator = Knows(c, source, $"""
            name: m
            description: For a test
            operations:
              - postgresql: CREATE INDEX CONCURRENTLY IF NOT EXISTS log_what ON {c.Database}.log (what)
                transaction: false
                undo: DROP INDEX CONCURRENTLY IF EXISTS {c.Database}.log_what
                undoTransaction: false
            """);

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
    }

    [Fact]
    public async Task Rows_of_every_common_type_arrive_in_ClickHouse()
    {
        await using var c = await MigrationCase.NewAsync(real.Engine);
        await using var source = await NewAsync(c);
        await ExecuteAsync(source, $$"""
            CREATE TABLE {{c.Database}}.people (id bigint PRIMARY KEY, name text, age integer, born date, seen timestamptz, price numeric(20, 4), is_on boolean, tags text[], data jsonb, key uuid);
            INSERT INTO {{c.Database}}.people SELECT n, E'tab\t"quote" \\ line\n ü ' || n, nullif(n % 7, 0), date '2020-01-01' + n::int, timestamptz '2024-02-03 04:05:06.789+00', 12345678901.2345, n % 2 = 0,
                ARRAY['a', 'b''c'], '{"a": [1, {"b": null}]}', '00000000-0000-0000-0000-00000000000a' FROM generate_series(1, 1000) n;
            """);
        await c.SqlAsync("CREATE TABLE {db}.people (id UInt64, name String, age Nullable(Int32), born Date, seen DateTime64(3, 'UTC'), price Decimal(20, 4), is_on Bool, tags Array(String), data String, key UUID) ENGINE = MergeTree ORDER BY id");
        var migrator = Knows(c, source, "name: m\ndescription: For a test\noperations:\n  - copy: '{db}.people'\n    source: postgresql\n    to: '{db}.people'\n    key: id\n    batchRows: 300\n");

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await c.AskAsync<string>("SELECT toString((count(), uniqExact(id), countIf(age IS NULL), sum(price), min(is_on), max(is_on))) FROM {db}.people"))
            .ShouldBe("(1000,1000,142,12345678901234.5,false,true)");
        (await c.AskAsync<string>("SELECT toString((name, born, seen, tags, data, key)) FROM {db}.people WHERE id = 1"))
            .ShouldBe("""('tab\t"quote" \\ line\n ü 1','2020-01-02','2024-02-03 04:05:06.789',['a','b\'c'],'{"a": [1, {"b": null}]}','00000000-0000-0000-0000-00000000000a')""");
    }

    [Fact]
    public async Task A_copy_whose_source_is_away_says_so_and_its_rollback_does_not_need_it()
    {
        await using var c = await MigrationCase.NewAsync(real.Engine);
        await using var source = await NewAsync(c);
        await ExecuteAsync(source, $"CREATE TABLE {c.Database}.a AS SELECT n AS id FROM generate_series(1, 10) n");
        await c.SqlAsync("CREATE TABLE {db}.b (id UInt64) ENGINE = MergeTree ORDER BY id");
        const string Copy = "name: m\ndescription: For a test\noperations:\n  - copy: '{db}.a'\n    source: postgresql\n    to: '{db}.b'\n    key: id\n";
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Database=app;Username=u;Password=hidden");
        (await MigrationCase.RefusalAsync(Knows(c, nowhere, Copy), "m")).ShouldStartWith("PostgreSQL 127.0.0.1:1/app cannot be asked for");
        var migrator = Knows(c, source, Copy);
        var planned = await MigrationCase.CreateAsync(migrator, "m");
        var without = c.Knows(Copy);

        var failed = await without.RunAsync(planned, ct: MigrationCase.Ct);

        failed.State.ShouldBe(RunState.Failed);
        failed.Problem!.ShouldContain("--postgres");
        (await migrator.ResumeAsync(planned, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM {db}.b")).ShouldBe(10);
        (await without.RollbackAsync(planned, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM {db}.b")).ShouldBe(0);
    }

    [Theory]
    [InlineData("x'; DROP TABLE kept; --")]
    [InlineData(@"C:\new")]
    [InlineData(@"\'; DROP TABLE kept; --")]
    [InlineData("line\n; DROP TABLE kept; --")]
    public async Task A_value_is_a_value_whatever_is_in_it(string value)
    {
        await using var c = await MigrationCase.NewAsync(real.Engine);
        await using var source = await NewAsync(c);
        await ExecuteAsync(source, $"CREATE TABLE {c.Database}.t (v text, \"a\"\"b\" text); INSERT INTO {c.Database}.t VALUES ('', '')");
        var migrator = Knows(c, source, "name: m\ndescription: For a test\nparameters: { v: { type: text }, column: { type: text, default: 'a\"b' } }\n"
            + "operations: [{ postgresql: 'UPDATE {db}.t SET v = ${v}, ${column:identifier} = ${v}', undo: [] }]\n");
        var options = new RunOptions();
        var proposal = await migrator.ProposeAsync(new MigrationRequest("m") { Parameters = new Dictionary<string, string> { ["v"] = value } }, options, MigrationCase.Ct);

        var run = await migrator.RunAsync(await migrator.CreateRunAsync(proposal.Plan!, options, MigrationCase.Ct), ct: MigrationCase.Ct);

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await AskAsync(source, $"SELECT v FROM {c.Database}.t WHERE v = \"a\"\"b\"")).ShouldBe(value);
    }

    [Theory]
    [InlineData("UInt8")]
    [InlineData("Nullable(Int16)")]
    public async Task An_integer_that_would_be_cut_off_is_refused(string type)
    {
        await using var c = await MigrationCase.NewAsync(real.Engine);
        await using var source = await NewAsync(c);
        await ExecuteAsync(source, $"CREATE TABLE {c.Database}.a (id bigint, v integer)");
        await c.SqlAsync($"CREATE TABLE {{db}}.b (id UInt64, v {type}) ENGINE = MergeTree ORDER BY id");

        var refusal = await MigrationCase.RefusalAsync(Knows(c, source, "name: m\ndescription: d\noperations: [{ copy: '{db}.a', source: postgresql, to: '{db}.b', key: id }]\n"), "m");

        refusal.ShouldStartWith($"v of {c.Database}.b is {type}, which cannot hold every value");
    }

    [Fact]
    public async Task Rows_without_a_key_are_told_before_anything_is_copied()
    {
        await using var c = await MigrationCase.NewAsync(real.Engine);
        await using var source = await NewAsync(c);
        await ExecuteAsync(source, $"CREATE TABLE {c.Database}.a (id bigint); INSERT INTO {c.Database}.a VALUES (1), (NULL)");
        await c.SqlAsync("CREATE TABLE {db}.b (id UInt64) ENGINE = MergeTree ORDER BY id");

        var failed = await MigrationCase.RunAsync(Knows(c, source, "name: m\ndescription: d\noperations: [{ copy: '{db}.a', source: postgresql, to: '{db}.b', key: id }]\n"), "m");

        failed.State.ShouldBe(RunState.Failed);
        failed.Problem!.ShouldStartWith($"1 row(s) of {c.Database}.a have no id, along which rows are copied");
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM {db}.b")).ShouldBe(0);
    }

    [Fact]
    public async Task Without_a_PostgreSQL_the_plan_says_so()
    {
        await using var c = await MigrationCase.NewAsync(real.Engine);

        (await MigrationCase.RefusalAsync(c.Knows(Twice), "m")).ShouldContain("--postgres");
    }

    [Fact]
    public async Task A_statement_that_waits_when_the_run_is_stopped_happens_once_when_it_goes_on()
    {
        await using var c = await MigrationCase.NewAsync(real.Engine);
        await using var source = await NewAsync(c);
        await using var blocker = await source.OpenConnectionAsync(MigrationCase.Ct);
        await using var held = await blocker.BeginTransactionAsync(MigrationCase.Ct);
        await ExecuteAsync(blocker, $"LOCK TABLE {c.Database}.log IN ACCESS EXCLUSIVE MODE");
        var migrator = Knows(c, source, "name: m\ndescription: For a test\noperations:\n  - postgresql: INSERT INTO {db}.log VALUES ('once')\n    undo: []\n");
        var runId = await MigrationCase.CreateAsync(migrator, "m");
        using var sleeps = new CancellationTokenSource();
        var first = migrator.RunAsync(runId, ct: sleeps.Token);
        await Wait.UntilAsync(async () => await AskAsync(source, "SELECT count(*)::text FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "1", MigrationCase.Ct);

        await sleeps.CancelAsync();
        (await first).State.ShouldBe(RunState.Paused);
        await held.RollbackAsync(MigrationCase.Ct);

        (await migrator.ResumeAsync(runId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);

        (await AskAsync(source, $"SELECT string_agg(what, ' ') FROM {c.Database}.log")).ShouldBe("once");
    }

    private static Migrator Knows(MigrationCase c, NpgsqlDataSource source, string yaml)
    {
        var (migration, problems) = YamlReader.Read("m.yaml", yaml.Replace("{db}", c.Database, StringComparison.Ordinal));
        problems.ShouldBeEmpty();
        return c.Knows(new MigratorOptions { Migrations = new MigrationSet([migration!]), PostgreSql = source });
    }

    private static async Task<string> AskAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(MigrationCase.Ct) as string ?? "";
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var connection = await source.OpenConnectionAsync(MigrationCase.Ct);
        await ExecuteAsync(connection, sql);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(MigrationCase.Ct);
    }

    // A schema of the same name as the test's database.
    private async Task<NpgsqlDataSource> NewAsync(MigrationCase c)
    {
        var source = NpgsqlDataSource.Create(postgres.Server.ConnectionString);
        await ExecuteAsync(source, $"CREATE SCHEMA {c.Database}; CREATE TABLE {c.Database}.log (what text)");
        return source;
    }
}
