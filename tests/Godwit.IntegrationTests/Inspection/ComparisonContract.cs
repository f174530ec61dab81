using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Inspection;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Inspection;

/// <summary>What a comparison tells, on servers of all ages. Each test has a database of its own.</summary>
public abstract class ComparisonContract : IAsyncLifetime
{
    private const string Hostile = "it's `a` \"b\"\\.c é%$x$";

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected ClickHouseGateway Gateway { get; private set; } = null!;

    protected string Database { get; } = $"c{Guid.NewGuid():N}"[..12];

    protected abstract Uri Url { get; }

    public async ValueTask InitializeAsync()
    {
        Gateway = new ClickHouseGateway(new ClickHouseOptions { Url = Url });
        await Gateway.ExecuteAsync($"CREATE DATABASE {Database}", ct: Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.ExecuteAsync($"DROP DATABASE {Database}", ct: CancellationToken.None);
        Gateway.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Tables_with_the_same_rows_are_the_same_by_every_count()
    {
        await SqlAsync(
            "CREATE TABLE @a (uuid UUID, at DateTime('Asia/Tokyo'), team UInt32) ENGINE = MergeTree PARTITION BY toYYYYMM(at, 'UTC') ORDER BY team",
            "CREATE TABLE @b (uuid UUID, at DateTime('UTC'), team UInt32) ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (team, at)",
            "INSERT INTO @a SELECT generateUUIDv4(), toDateTime('2026-01-01 00:00:00', 'UTC') + number * 3600, number % 5 FROM numbers(1000)",
            "INSERT INTO @b SELECT * FROM @a");

        var found = await CompareAsync("@a", "@b", r => r with { By = ["team", "at"], Where = "team < 4" });

        found.IsSame.ShouldBeTrue(found.Summary);
        found.Summary.ShouldBe($"No difference was found: {Database}.a and {Database}.b both have 800 rows.");
        found.Rows.ShouldBe(new ComparisonRow(null, 800, 800));
        found.Last.ShouldBe(new ComparedTimes("at", "2026-02-11T14:00:00Z", "2026-02-11T14:00:00Z"));
        found.Ids.ShouldBe(new ComparedIds("uuid", new ComparisonRow(null, 800, 800), new ComparisonRow(null, 800, 800)));
        found.Cuts.Select(c => (c.Kind, c.By, c.Keys, c.Differing, c.Unavailable)).ShouldBe([
            (CutKind.Partition, "toYYYYMM(at, 'UTC')", 2, 0, null), (CutKind.Day, "at", 42, 0, null), (CutKind.Column, "team", 4, 0, null), (CutKind.Column, "at", 800, 0, null)]);
        found.Node.ShouldBe(Gateway.Name);
        found.Notes.ShouldContain($"at is DateTime('Asia/Tokyo') in {Database}.a and DateTime('UTC') in {Database}.b, so the same row may count for different partitions.");
    }

    [Fact]
    public async Task Differences_come_by_size_with_how_many_more_there_are()
    {
        await SqlAsync(
            "CREATE TABLE @a (id UInt64, day Date, team Nullable(String)) ENGINE = MergeTree PARTITION BY (toYYYYMM(day), id % 2) ORDER BY id",
            "CREATE TABLE @b (id UInt64, day Date, team Nullable(String)) ENGINE = MergeTree PARTITION BY day ORDER BY id",
            "INSERT INTO @a SELECT number, toDate('2026-01-01') + number % 40, if(number % 10 = 0, NULL, if(number % 10 = 1, '', toString(number % 10))) FROM numbers(4000)",
            "INSERT INTO @b SELECT * FROM @a WHERE NOT (day = '2026-01-02') AND NOT (day = '2026-01-03' AND id < 1000) AND NOT (day = '2026-02-01' AND id < 100)",
            "INSERT INTO @b SELECT 5000, toDate('2026-03-01'), NULL FROM numbers(3)");

        var found = await CompareAsync("@a", "@b", r => r with { By = ["team"], Limit = 3 });

        found.IsSame.ShouldBeFalse();
        found.Rows.ShouldBe(new ComparisonRow(null, 4000, 3876));
        found.Rows.Difference.ShouldBe(-124);
        found.Last.ShouldBe(new ComparedTimes("day", "2026-02-09", "2026-03-01"));
        found.Ids!.Unique.ShouldBe(new ComparisonRow(null, 4000, 3874));
        var (partitions, days, teams) = (found.Cuts[0], found.Cuts[1], found.Cuts[2]);
        (partitions.Keys, partitions.Differing).ShouldBe((5, 4));
        partitions.Rows.ShouldBe([new("(202601, 1)", 1500, 1400), new("(202601, 0)", 1600, 1575), new("(202603, 0)", 0, 3)]);
        partitions.More.ShouldBe(1);
        (days.Keys, days.Differing, days.More).ShouldBe((41, 4, 1));
        days.Rows.ShouldBe([new("2026-01-02", 100, 0), new("2026-01-03", 100, 75), new("2026-03-01", 0, 3)]);
        teams.Rows.ShouldBe([new("", 400, 298), new("2", 400, 375), new(null, 400, 403)]);
        found.Notes.ShouldHaveSingleItem().ShouldContain($"both are counted by that of {Database}.a");
        found.Summary.ShouldStartWith($"{Database}.b has 124 rows fewer than {Database}.a (3,876 against 4,000); the last day is 2026-03-01 against 2026-02-09; id has 3,874 unique values in 3,876 rows against 4,000 in 4,000 rows; ");
        found.Summary.ShouldContain("; 4 of 5 partitions differ; 4 of 41 days of day differ; 3 of 10 values of team differ.");
    }

    [Fact]
    public async Task All_tables_of_a_pattern_are_read_as_one()
    {
        await SqlAsync(
            "CREATE TABLE @e_2025 (id UInt64, day Date) ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY id",
            "CREATE TABLE @e_2026 (id UInt64, day Date) ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY id",
            "CREATE TABLE @all (day Date, id UInt64) ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY day",
            "INSERT INTO @e_2025 SELECT number, toDate('2025-12-01') + number % 31 FROM numbers(310)",
            "INSERT INTO @e_2026 SELECT number, toDate('2026-01-01') + number % 31 FROM numbers(310)",
            "INSERT INTO @all (id, day) SELECT id, day FROM @e_2025",
            "INSERT INTO @all (id, day) SELECT id, day FROM @e_2026 WHERE day != '2026-01-07'");

        var found = await CompareAsync("@/^e_[0-9]+$/", "@all");

        (found.A, found.Rows).ShouldBe(($"{Database}./^e_[0-9]+$/", new ComparisonRow(null, 620, 610)));
        found.Cuts.Select(c => (c.Kind, c.Rows.Single().Key)).ShouldBe([(CutKind.Partition, "202601"), (CutKind.Day, "2026-01-07")]);
        found.Notes.ShouldBe([$"{Database}./^e_[0-9]+$/ stands for 2 tables: e_2025, e_2026."]);
        (await RefusedAsync("@/^nothing/", "@all")).ShouldStartWith($"No table of {Database} on ");
        (await RefusedAsync("@/(/", "@all")).ShouldStartWith($"{Gateway.Name} cannot look for {Database}./(/: ");
    }

    [Fact]
    public async Task Names_may_hold_anything()
    {
        var (a, b) = (new QualifiedName(Database, Hostile), new QualifiedName(Database, Hostile + "2"));
        var column = Sql.Identifier(Hostile);
        await SqlAsync(
            $"CREATE TABLE {a.ToSql()} ({column} String, `at'` Date) ENGINE = MergeTree PARTITION BY toYYYYMM(`at'`) ORDER BY {column}",
            $"CREATE TABLE {b.ToSql()} ({column} String, `at'` Date) ENGINE = MergeTree PARTITION BY toYYYYMM(`at'`) ORDER BY {column}",
            $"INSERT INTO {a.ToSql()} SELECT {Sql.Literal(Hostile + "\n")}, toDate('2026-01-01') + number FROM numbers(4)");

        var found = await CompareAsync(a.ToString(), b.ToString(), r => r with { By = [Hostile], Day = "at'", Id = Hostile, Where = $"{column} != '' AND `at'` != '2026-01-04'" });

        found.Rows.ShouldBe(new ComparisonRow(null, 3, 0));
        found.Ids!.Unique.ShouldBe(new ComparisonRow(null, 1, 0));
        found.Cuts[2].Rows.ShouldBe([new(Hostile + "\n", 3, 0)]);
        found.Last.ShouldBe(new ComparedTimes("at'", "2026-01-03", null));
        (await RefusedAsync(a.ToString(), b.ToString(), r => r with { By = ["` FROM x"] })).ShouldBe(
            $"There is no column ` FROM x in {a} and {b}; the columns that both have are {Hostile}, at'.");
    }

    [Fact]
    public async Task Empty_tables_are_the_same_and_their_last_moment_is_none()
    {
        await SqlAsync("CREATE TABLE @a (id UInt64, day Date) ENGINE = MergeTree PARTITION BY day ORDER BY id", "CREATE TABLE @b (id UInt64, day Date) ENGINE = Memory");

        var found = await CompareAsync("@a", "@b", r => r with { By = ["id"] });

        (found.IsSame, found.Rows, found.Last).ShouldBe((true, new ComparisonRow(null, 0, 0), new ComparedTimes("day", null, null)));
        found.Cuts.ShouldAllBe(c => c.Keys == 0 && c.Rows.Count == 0 && c.Unavailable == null);
    }

    [Fact]
    public async Task Tables_of_different_columns_are_counted_by_what_both_have()
    {
        await SqlAsync(
            "CREATE TABLE @a (id UInt64, day Date, who UInt32) ENGINE = MergeTree PARTITION BY day ORDER BY id",
            "CREATE TABLE @b (key UInt64, who String, day String) ENGINE = MergeTree ORDER BY key",
            "CREATE TABLE @c (other UInt8) ENGINE = Memory",
            "INSERT INTO @a SELECT number, toDate('2026-01-01'), number % 3 FROM numbers(9)",
            "INSERT INTO @b SELECT number, toString(number % 2), '' FROM numbers(9)");

        var found = await CompareAsync("@a", "@b", r => r with { By = ["who"] });
        var none = await CompareAsync("@a", "@c");

        (found.Last, found.Ids).ShouldBe((null, null));
        found.Cuts.Single(c => c.Kind == CutKind.Column).Rows.ShouldBe([new("2", 3, 0), new("0", 3, 5), new("1", 3, 4)]);
        found.Notes.ShouldContain($"who is UInt32 in {Database}.a and String in {Database}.b; its values are compared as texts.");
        found.Notes.ShouldContain("Nothing is counted by day: there is no column of dates that both have.");
        (none.Rows, none.Cuts.Count).ShouldBe((new ComparisonRow(null, 9, 0), 0));
        none.Notes.ShouldContain($"Nothing is counted by partition: {Database}.a and {Database}.c do not both have the columns of a partition key.");
        (await RefusedAsync("@a", "@b", r => r with { By = ["id", "day"], Id = "key" })).ShouldBe(
            $"There is no column id in {Database}.b; the columns that both have are day, who.\nThere is no column key in {Database}.a; the columns that both have are day, who.");
        (await RefusedAsync("@a", "@b", r => r with { Day = "day" })).ShouldBe($"day is Date in {Database}.a and String in {Database}.b, so it has no days; there are no columns of dates that both have.");
        (await RefusedAsync("@a", "@c", r => r with { By = ["id"] })).ShouldBe($"There is no column id in {Database}.c; there are no columns that both have.");
        (await RefusedAsync("@x", "system.one")).ShouldBe(
            $"There is no table {Database}.x on {Gateway.Name}. Check the name (and its quoting: \"my.db\".\"my.table\") and the user's rights.\nsystem.one is the server's own; only tables of users are compared.");
    }

    [Fact]
    public async Task A_view_is_compared_with_the_table_behind_it()
    {
        await SqlAsync(
            "CREATE TABLE @a (id UInt64, day Date) ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY id",
            "INSERT INTO @a SELECT number, toDate('2026-01-01') + number FROM numbers(60)",
            "CREATE VIEW @v AS SELECT id, day FROM @a WHERE id != 33");

        var found = await CompareAsync("@v", "@a");

        found.Cuts.Select(c => (c.Kind, c.By, c.Keys, c.Rows.Single())).ShouldBe([
            (CutKind.Partition, "toYYYYMM(day)", 3, new ComparisonRow("202602", 27, 28)), (CutKind.Day, "day", 60, new ComparisonRow("2026-02-03", 0, 1))]);
    }

    [Fact]
    public async Task A_condition_that_the_server_does_not_take_is_refused_for_the_side_that_it_does_not_suit()
    {
        await SqlAsync("CREATE TABLE @a (id UInt64, who String) ENGINE = Memory", "CREATE TABLE @b (id UInt64) ENGINE = Memory");

        var words = await RefusedAsync("@a", "@b", r => r with { Where = "who = 'x'" });

        words.ShouldStartWith($"'who = 'x'' is not an expression that rows of {Database}.b can be chosen by: ");
        words.ShouldNotContain('\n');
        (await RefusedAsync("@a", "@b", r => r with { Where = "id id" })).Split('\n').Length.ShouldBe(2);
        (await RefusedAsync("@a", "@b", r => r with { Where = "nosuch(id)" })).ShouldContain("nosuch");
        (await RefusedAsync("@a", "@b", r => r with { Where = "id, who" })).ShouldContain($"{Database}.a");
    }

    [Fact]
    public async Task What_cannot_be_counted_is_said_and_is_not_the_same()
    {
        await SqlAsync("CREATE TABLE @a (id UInt64, odd UInt64 ALIAS intDiv(1, id)) ENGINE = MergeTree ORDER BY id", "INSERT INTO @a (id) SELECT number FROM numbers(3)");

        var found = await CompareAsync("@a", "@a", r => r with { By = ["odd"] });

        found.IsSame.ShouldBeFalse();
        found.Cuts.ShouldHaveSingleItem().Unavailable!.ShouldStartWith($"Rows by odd could not be counted on {Gateway.Name}: ");
        found.Summary.ShouldBe($"{Database}.a and {Database}.a both have 3 rows; values of odd could not be counted.");
    }

    [Fact]
    public async Task A_table_that_loses_what_is_read_of_it_is_not_read()
    {
        await SqlAsync(
            "CREATE TABLE @events (id UInt64) ENGINE = Memory",
            "CREATE TABLE @kafka_events (id UInt64) ENGINE = Kafka SETTINGS kafka_broker_list = '127.0.0.1:1', kafka_topic_list = 't', kafka_group_name = 'g', kafka_format = 'JSONEachRow'");

        (await RefusedAsync("@events", "@/events/")).ShouldBe($"{Database}.kafka_events is a Kafka table: reading it would take its messages away. Compare the table that its view writes to.");
    }

    [Fact]
    public async Task Giving_up_ends_it_on_the_server()
    {
        await SqlAsync("CREATE VIEW @endless AS SELECT number AS id FROM system.numbers");
        using var person = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        async Task<bool> IsRunningAsync() => await Gateway.ScalarAsync<long>($"SELECT count() FROM system.processes WHERE startsWith(query_id, 'godwit-look-') AND query LIKE '%{Database}%' AND query_id != ''", ct: Ct) > 0;

        var comparison = CompareAsync("@endless", "@endless", ct: person.Token);
        await Wait.UntilAsync(IsRunningAsync, Ct);
        await person.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(comparison);
        (await IsRunningAsync()).ShouldBeFalse();
    }

    protected async Task SqlAsync(params string[] statements)
    {
        foreach (var statement in statements)
        {
            await Gateway.ExecuteAsync(Expand(statement), ct: Ct);
        }
    }

    /// <summary><c>@t</c> stands for a table of the test's database, <c>@/x/</c> for a pattern in it.</summary>
    protected async Task<Comparison> CompareAsync(string a, string b, Func<ComparisonRequest, ComparisonRequest>? with = null, CancellationToken? ct = null)
    {
        var request = new ComparisonRequest(TableOrPattern.Parse(Expand(a)), TableOrPattern.Parse(Expand(b)));
        return await Comparison.MakeAsync(Gateway, with?.Invoke(request) ?? request, ct ?? Ct);
    }

    protected async Task<string> RefusedAsync(string a, string b, Func<ComparisonRequest, ComparisonRequest>? with = null) =>
        (await Should.ThrowAsync<InvalidRequestException>(() => CompareAsync(a, b, with))).Message;

    private string Expand(string text) => text.Replace("@", $"{Database}.", StringComparison.Ordinal);
}
