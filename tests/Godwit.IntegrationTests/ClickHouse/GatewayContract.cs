using Godwit.ClickHouse;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.ClickHouse;

/// <summary>What the gateway promises of every server; each server's class derives from it.</summary>
public abstract class GatewayContract : IAsyncLifetime
{
    private readonly string _database = $"gw_{Guid.NewGuid():N}";

    protected abstract Uri Url { get; }

    protected abstract string CreateDatabase { get; }

    protected ClickHouseGateway Gateway { get; private set; } = null!;

    private QueryOptions InDatabase => new() { Database = _database };

    public async ValueTask InitializeAsync()
    {
        Gateway = new ClickHouseGateway(new ClickHouseOptions { Url = Url });
        await Gateway.ExecuteAsync(string.Format(null, CreateDatabase, Sql.Identifier(_database)));
    }

    public async ValueTask DisposeAsync()
    {
        if (Gateway is not null)
        {
            await Gateway.ExecuteAsync($"DROP DATABASE {Sql.Identifier(_database)}");
            Gateway.Dispose();
        }

        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Ping_is_answered() => await Gateway.PingAsync(Ct);

    [Fact]
    public async Task Every_escape_of_the_format_is_read_back()
    {
        var hostile = "a\tb\nc\\d'e\0f\bg\fh\ri\\N `\"é😀";
        var rows = await Gateway.QueryAsync(
            $@"SELECT {Sql.Literal(hostile)} AS s, NULL AS n, '\\N' AS looks_null, '' AS empty, 1 AS `a\tb`", ct: Ct);
        var row = rows.ShouldHaveSingleItem();
        row["s"].ShouldBe(hostile);
        row.IsNull("n").ShouldBeTrue();
        row.Text("n").ShouldBeNull();
        row["looks_null"].ShouldBe(@"\N");
        row["empty"].ShouldBe("");
        row.Columns.ShouldBe(["s", "n", "looks_null", "empty", "a\tb"]);
    }

    [Fact]
    public async Task Scalars_keep_their_extremes()
    {
        (await Gateway.ScalarAsync<ulong>("SELECT toUInt64(18446744073709551615)", ct: Ct)).ShouldBe(ulong.MaxValue);
        (await Gateway.ScalarAsync<long>("SELECT toInt64('-9223372036854775808')", ct: Ct)).ShouldBe(long.MinValue);
        (await Gateway.ScalarAsync<double>("SELECT -1/0", ct: Ct)).ShouldBe(double.NegativeInfinity);
        (await Gateway.ScalarAsync<bool>("SELECT 1 = 1", ct: Ct)).ShouldBeTrue();
        (await Gateway.ScalarAsync<string>("SELECT 'x'", ct: Ct)).ShouldBe("x");
        (await Gateway.ScalarAsync<Guid>("SELECT toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')", ct: Ct))
            .ShouldBe(Guid.Parse("61f0c404-5cb3-11e7-907b-a6006ad3dba0"));
    }

    [Fact]
    public async Task Moments_are_read_in_the_zone_of_their_type()
    {
        var moment = new DateTimeOffset(2024, 7, 1, 12, 0, 0, TimeSpan.Zero);
        var row = (await Gateway.QueryAsync(
            $"SELECT toDateTime({moment.ToUnixTimeSeconds()}, 'Europe/Berlin') AS berlin, toUInt32({moment.ToUnixTimeSeconds()}) AS number", ct: Ct))[0];
        row.Utc("berlin").ShouldBe(moment);
        row.Utc("number").ShouldBe(moment);
    }

    [Fact]
    public async Task No_rows_is_an_empty_list() => (await Gateway.QueryAsync("SELECT 1 AS x WHERE 0", ct: Ct)).ShouldBeEmpty();

    [Fact]
    public async Task A_statement_without_a_result_is_an_empty_list()
        => (await Gateway.QueryAsync("CREATE TABLE empty (x Int8) ENGINE = Memory", InDatabase, Ct)).ShouldBeEmpty();

    [Fact]
    public async Task A_stream_hands_out_every_row()
    {
        var sum = 0L;
        var count = 0;
        await foreach (var row in Gateway.StreamAsync("SELECT number FROM system.numbers LIMIT 300000", ct: Ct))
        {
            sum += row.Int64("number");
            count++;
        }

        count.ShouldBe(300000);
        sum.ShouldBe(300000L * 299999 / 2);
    }

    [Fact]
    public async Task A_stream_can_be_left_early()
    {
        await foreach (var row in Gateway.StreamAsync("SELECT number FROM system.numbers", ct: Ct))
        {
            if (row.Int64("number") == 100_000)
            {
                break;
            }
        }

        (await Gateway.ScalarAsync<long>("SELECT 1", ct: Ct)).ShouldBe(1);
    }

    [Theory]
    [InlineData("SELECT number, throwIf(number = 1000000) FROM numbers(2000000)")]
    [InlineData("SELECT toString(number) FROM numbers(2000000) WHERE throwIf(number = 1000000) = 0")]
    [InlineData("SELECT if(number % 2, '', 'x') FROM numbers(2000000) WHERE throwIf(number = 1000000) = 0")]
    public async Task A_failure_behind_rows_that_were_sent_is_an_exception(string sql)
    {
        var rows = 0;
        var e = await Should.ThrowAsync<ClickHouseException>(async () =>
        {
            await foreach (var row in Gateway.StreamAsync(sql, ct: Ct))
            {
                row.Columns.Count.ShouldBeGreaterThan(0);
                rows++;
            }
        });
        e.Code.ShouldBe(ClickHouseErrorCodes.FunctionThrowIfValueIsNonZero);
        e.CodeName.ShouldBe("FUNCTION_THROW_IF_VALUE_IS_NON_ZERO");
        e.ServerMessage.ShouldStartWith("Value passed to 'throwIf' function is non");
        rows.ShouldBeInRange(1, 1_000_000);
        (await Should.ThrowAsync<ClickHouseException>(() => Gateway.QueryAsync(sql, ct: Ct))).Code.ShouldBe(e.Code);
        (await Should.ThrowAsync<ClickHouseException>(() => Gateway.ExecuteAsync(sql, ct: Ct))).Code.ShouldBe(e.Code);
    }

    [Fact]
    public async Task Values_that_quote_errors_are_values()
    {
        var error = "Code: 395, e.displayText() = DB::Exception: Value, e.what() = DB::Exception";
        var sql = $"SELECT if(number = 3, 'end', {Sql.Literal(error)}) AS x FROM numbers(4)";
        var values = new List<string>();
        await foreach (var row in Gateway.StreamAsync(sql, ct: Ct))
        {
            values.Add(row["x"]);
        }

        values.ShouldBe([error, error, error, "end"]);
        (await Gateway.ScalarAsync<string>($"SELECT {Sql.Literal(error)}", ct: Ct)).ShouldBe(error);
    }

    [Theory]
    [InlineData("SELECT * FROM nowhere", 60, "UNKNOWN_TABLE")]
    [InlineData("SELECT * FROM missing_db.nowhere", 0, "UNKNOWN_")]
    [InlineData("SELEC 1", 62, "SYNTAX_ERROR")]
    [InlineData("SELECT * FROM numbers(1) SETTINGS no_such = 1", 115, "UNKNOWN_SETTING")]
    public async Task Errors_carry_code_name_node_and_query_id(string sql, int code, string name)
    {
        var e = await Should.ThrowAsync<ClickHouseException>(
            () => Gateway.QueryAsync(sql, InDatabase with { QueryId = $"q-{_database}" }, Ct));
        e.Code.ShouldBeOneOf(code == 0 ? [60, 81] : [code]);
        e.CodeName.ShouldStartWith(name);
        e.Node.ShouldBe(Gateway.Name);
        e.QueryId.ShouldBe($"q-{_database}");
        e.Message.ShouldStartWith($"{Gateway.Name}: ");
        e.Message.ShouldNotContain("(version");
        e.Message.ShouldNotContain("e.what()");
        e.ServerMessage.ShouldNotStartWith("Code:");
        e.ServerMessage.ShouldNotBeEmpty();
        e.IsTransient.ShouldBeFalse();
    }

    [Theory]
    [InlineData("SELECT * FROM remote('127.0.0.1:1', system.one, 'default', 'topsecret'")]
    [InlineData("SELECT nope(1, 'a' FROM remote('127.0.0.1:1', system.one, 'default', 'topsecret')")]
    [InlineData("CREATE USER x IDENTIFIED WITH sha256_password BY 'topsecret' ((")]
    [InlineData("CREATE TABLE x (a Int8) ENGINE = MySQL('127.0.0.1:1', 'db', 't', 'me', 'topsecret') ((")]
    public async Task Secrets_in_a_statement_are_not_echoed(string sql)
    {
        var e = await Should.ThrowAsync<ClickHouseException>(() => Gateway.ExecuteAsync(sql, ct: Ct));
        e.ToString().ShouldNotContain("topsecret");
        e.ServerMessage.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_refused_login_names_user_and_server_but_no_password()
    {
        var options = new ClickHouseOptions { Url = Url, User = "nobody", Password = new Secret("hush-hush") };
        using var stranger = new ClickHouseGateway(options);
        var e = await Should.ThrowAsync<ClickHouseException>(() => stranger.QueryAsync("SELECT 'hush-hush'", ct: Ct));
        e.Code.ShouldBeOneOf(ClickHouseErrorCodes.UnknownUser, ClickHouseErrorCodes.AuthenticationFailed);
        e.Message.ShouldBe($"User nobody was refused by {Gateway.Name}: check --user and the password (code {e.Code}).");
        e.ToString().ShouldNotContain("hush-hush");
    }

    [Fact]
    public async Task The_own_password_is_masked_wherever_the_server_echoes_it()
    {
        // The right password is empty here, so the echo comes from a handler that leaves the header out.
        var options = new ClickHouseOptions { Url = Url, Password = new Secret("sesame") };
        using var handler = new WithoutPassword();
        using var gateway = new ClickHouseGateway(options, handler);
        var e = await Should.ThrowAsync<ClickHouseException>(() => gateway.QueryAsync("SELECT * FROM sesame_street", ct: Ct));
        e.Code.ShouldBe(ClickHouseErrorCodes.UnknownTable);
        e.ToString().ShouldNotContain("sesame");
        e.ServerMessage.ShouldContain("***_street");
    }

    [Theory]
    [InlineData("we`ird\"na.me\\")]
    [InlineData("it's; DROP TABLE x --")]
    [InlineData("tab\tnew\nline\r")]
    [InlineData("\\`")]
    [InlineData("\\n")]
    [InlineData("Ünïcode 表 😀")]
    [InlineData("select")]
    [InlineData("1")]
    [InlineData(" ")]
    [InlineData("{x:Int8}")]
    public async Task Hostile_names_of_tables_and_columns_survive(string name)
    {
        var table = Sql.Table(_database, name);
        await Gateway.ExecuteAsync($"CREATE TABLE {table} ({Sql.Identifier(name)} String) ENGINE = Memory", ct: Ct);
        await Gateway.InsertAsync($"INSERT INTO {table} ({Sql.Identifier(name)}) FORMAT TabSeparated", "x\n", ct: Ct);
        var row = (await Gateway.QueryAsync($"SELECT {Sql.Identifier(name)} FROM {table}", ct: Ct)).ShouldHaveSingleItem();
        row[name].ShouldBe("x");
        (await Gateway.ScalarAsync<string>($"SELECT name FROM system.tables WHERE database = {Sql.Literal(_database)}", ct: Ct)).ShouldBe(name);
        await Gateway.ExecuteAsync($"DROP TABLE {table}", ct: Ct);
    }

    [Fact]
    public async Task Rows_are_inserted_from_text_streams_and_bytes()
    {
        await Gateway.ExecuteAsync("CREATE TABLE t (a Int32) ENGINE = Memory", InDatabase, Ct);
        await Gateway.InsertAsync("INSERT INTO t FORMAT TabSeparated", "1\n2\n", InDatabase, Ct);
        // The first bytes are a line break and a blank: they must arrive as data.
        using var binary = new ByteArrayContent([10, 0, 0, 0, 32, 10, 13, 0]);
        await Gateway.InsertAsync("INSERT INTO t FORMAT RowBinary", binary, InDatabase, Ct);
        using var stream = new MemoryStream(Enumerable.Range(1, 2_000_000).SelectMany(_ => "7\n"u8.ToArray()).ToArray());
        await Gateway.InsertAsync("INSERT INTO t FORMAT TabSeparated", stream, InDatabase, Ct);
        var row = (await Gateway.QueryAsync("SELECT count() AS c, sum(a) AS s FROM t", InDatabase, Ct))[0];
        row.Int64("c").ShouldBe(2_000_004);
        row.Int64("s").ShouldBe(1 + 2 + 10 + 0x000d0a20 + 14_000_000);
    }

    [Fact]
    public async Task A_refused_insert_says_why()
    {
        await Gateway.ExecuteAsync("CREATE TABLE t (a Int32) ENGINE = Memory", InDatabase, Ct);
        var unreadable = await Should.ThrowAsync<ClickHouseException>(
            () => Gateway.InsertAsync("INSERT INTO t FORMAT TabSeparated", "1\nx\n", InDatabase, Ct));
        unreadable.Code.ShouldBe(ClickHouseErrorCodes.CannotParseInputAssertionFailed);
        var missing = await Should.ThrowAsync<ClickHouseException>(
            () => Gateway.InsertAsync("INSERT INTO nowhere FORMAT TabSeparated", "1\n", InDatabase, Ct));
        missing.Code.ShouldBe(ClickHouseErrorCodes.UnknownTable);
    }

    [Fact]
    public async Task An_insert_that_is_refused_while_its_rows_are_still_sent_is_not_taken_for_stored()
    {
        using var rows = new MemoryStream(new byte[50_000_000]);
        var e = await Should.ThrowAsync<ClickHouseException>(
            () => Gateway.InsertAsync("INSERT INTO nowhere FORMAT RowBinary", rows, InDatabase, Ct));

        // A server may close the connection before it has read what it refuses; then the reason is lost with it.
        (e is ClickHouseUnreachableException { MayHaveRun: true } || e.Code == ClickHouseErrorCodes.UnknownTable).ShouldBeTrue(e.Message);
    }

    [Fact]
    public async Task Settings_session_database_and_query_id_reach_the_server()
    {
        var options = InDatabase with
        {
            QueryId = $"named-{_database}",
            SessionId = _database,
            Settings = new Dictionary<string, string> { ["max_threads"] = "3" },
        };
        await Gateway.ExecuteAsync("CREATE TEMPORARY TABLE mine (x Int8)", options with { QueryId = null }, Ct);
        var row = (await Gateway.QueryAsync(
            "SELECT currentDatabase() AS db, (SELECT count() FROM mine) AS mine, query_id, "
            + "(SELECT value FROM system.settings WHERE name = 'max_threads') AS threads "
            + $"FROM system.processes WHERE query_id = {Sql.Literal(options.QueryId)}", options, Ct)).ShouldHaveSingleItem();
        row["db"].ShouldBe(_database);
        row.Int64("mine").ShouldBe(0);
        row["threads"].ShouldBe("3");
    }

    [Fact]
    public async Task Time_running_out_after_sending_is_an_unknown_outcome()
    {
        var e = await Should.ThrowAsync<ClickHouseUnreachableException>(
            () => Gateway.ExecuteAsync("SELECT sleep(2)", new QueryOptions { Timeout = TimeSpan.FromMilliseconds(200) }, Ct));
        e.MayHaveRun.ShouldBeTrue();
        e.Code.ShouldBe(0);
        e.Message.ShouldBe($"{Gateway.Name} did not answer within 200 ms. The statement was sent and may have run, or still be running.");
    }

    [Fact]
    public async Task A_caller_that_gives_up_gets_its_own_cancellation()
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        giveUp.CancelAfter(TimeSpan.FromMilliseconds(200));
        await Should.ThrowAsync<OperationCanceledException>(() => Gateway.QueryAsync("SELECT sleep(2)", ct: giveUp.Token));
    }

    [Fact]
    public async Task A_statement_with_its_own_format_is_refused_as_rows()
    {
        var e = await Should.ThrowAsync<Exception>(() => Gateway.QueryAsync("SELECT 1 AS x FORMAT JSONCompact", ct: Ct));
        e.ShouldBeOfType<ClickHouseException>().Message.ShouldContain("FORMAT");
    }

    [Fact]
    public async Task The_same_process_is_not_its_own_restart()
    {
        var before = await ServerIdentity.ReadAsync(Gateway, Ct);
        var after = await ServerIdentity.ReadAsync(Gateway, Ct);
        after.IsRestartOf(before).ShouldBeFalse();
        after.HostName.ShouldNotBeEmpty();
        after.StartedAt.ShouldBeLessThanOrEqualTo(DateTimeOffset.UtcNow.AddMinutes(1));
    }

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    private sealed class WithoutPassword() : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Remove("X-ClickHouse-Key");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
