using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>Rows are copied in batches, once each, from ClickHouse; what differs at the end is copied again.</summary>
public sealed class CopyTests(RealEngine real)
{
    private const string Copy = """
        name: m
        description: For a test
        operations:
          - copy: {db}.a
            to: {db}.b
            key: id
            batchRows: 70
        """;

    [Fact]
    public async Task Every_row_is_copied_once_and_deleted_by_a_rollback_alone()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("INSERT INTO {db}.b VALUES (5000, 'mine')");
        var migrator = c.Knows(Copy);

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        run.RowsCopied.ShouldBe(1000);
        (await SameAsync(c)).ShouldBeTrue();
        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await c.AskAsync<string>("SELECT toString(groupArray((id, s))) FROM {db}.b")).ShouldBe("[(5000,'mine')]");
    }

    [Fact]
    public async Task Many_rows_with_one_key_are_one_batch()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("INSERT INTO {db}.a SELECT 7, 'again' FROM numbers(300)");

        (await MigrationCase.RunAsync(c.Knows(Copy), "m")).State.ShouldBe(RunState.Completed);

        (await SameAsync(c)).ShouldBeTrue();
    }

    [Fact]
    public async Task Columns_and_a_condition_say_what_is_copied()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Copy + "\n    where: id % 10 = 0\n    columns: { id: id + 1, s: \"upper(concat(s, 'x'))\" }\n");

        (await MigrationCase.RunAsync(migrator, "m")).State.ShouldBe(RunState.Completed);

        (await c.AskAsync<string>("SELECT toString((count(), min(id), max(id), any(endsWith(s, 'X')))) FROM {db}.b")).ShouldBe("(100,1,991,1)");
    }

    [Fact]
    public async Task An_hour_that_a_time_zone_has_twice_is_copied_once()
    {
        await using var c = await NewAsync();
        await c.SqlAsync(
            "CREATE TABLE {db}.times (at DateTime('Europe/Berlin')) ENGINE = MergeTree ORDER BY at",
            "CREATE TABLE {db}.there AS {db}.times",
            "INSERT INTO {db}.times SELECT toDateTime(1761430000 + number * 60) FROM numbers(240)");

        var run = await MigrationCase.RunAsync(c.Knows("name: m\ndescription: d\noperations: [{ copy: '{db}.times', to: '{db}.there', key: at, batchRows: 10 }]\n"), "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await c.AskAsync<string>("SELECT toString((count(), uniqExact(at), toUnixTimestamp(max(at)))) FROM {db}.there")).ShouldBe($"(240,240,{1761430000 + (239 * 60)})");
    }

    [Theory]
    [InlineData("k Nullable(Int64)", "k Int64", "which cannot hold every value")]
    [InlineData("k Float64", "k Int64", "which cannot hold every value")]
    [InlineData("k Int64, v UInt64", "k Int64, v UInt32", "v of")]
    [InlineData("k Int64, v Nullable(String)", "k Int64, v String", "cannot hold every value of `v` (Nullable(String))")]
    [InlineData("k Int64, v Decimal(9, 3)", "k Int64, v Decimal(9, 2)", "CAST(`v`, 'Decimal(9, 2)')")]
    public async Task A_column_that_could_not_hold_every_value_is_refused(string from, string to, string sentence)
    {
        await using var c = await NewAsync();
        await c.SqlAsync($"CREATE TABLE {{db}}.f ({from}) ENGINE = MergeTree ORDER BY tuple()", $"CREATE TABLE {{db}}.g ({to}) ENGINE = MergeTree ORDER BY k");

        (await MigrationCase.RefusalAsync(c.Knows("name: m\ndescription: d\noperations: [{ copy: '{db}.f', to: '{db}.g', key: k }]\n"), "m")).ShouldContain(sentence);
    }

    [Theory]
    [InlineData("k Int32, v UInt8", "k Int64, v Nullable(UInt32)")]
    [InlineData("k UInt64, v LowCardinality(String)", "k UInt64, v String")]
    [InlineData("k UInt64, v Decimal(9, 2)", "k UInt64, v Decimal(18, 3)")]
    [InlineData("k UInt64, v FixedString(3)", "k UInt64, v String")]
    [InlineData("k Int64, v Int64", "k Int64, v Int64")]
    public async Task A_column_that_can_hold_every_value_is_filled(string from, string to)
    {
        await using var c = await NewAsync();
        await c.SqlAsync(
            $"CREATE TABLE {{db}}.f ({from}) ENGINE = MergeTree ORDER BY k",
            $"CREATE TABLE {{db}}.g ({to}) ENGINE = MergeTree ORDER BY k",
"INSERT INTO {db}.f SELECT number, toString(number + 100) FROM numbers(5)");

        var run = await MigrationCase.RunAsync(c.Knows("name: m\ndescription: d\noperations: [{ copy: '{db}.f', to: '{db}.g', key: k }]\n"), "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM {db}.g")).ShouldBe(5);
    }

    [Fact]
    public async Task Rows_without_a_key_can_be_left_out()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("CREATE TABLE {db}.f (k Nullable(Int64)) ENGINE = MergeTree ORDER BY tuple()", "CREATE TABLE {db}.g (k Int64) ENGINE = MergeTree ORDER BY k", "INSERT INTO {db}.f VALUES (1), (NULL)");
        const string Nullable = "name: m\ndescription: d\noperations: [{ copy: '{db}.f', to: '{db}.g', key: k, columns: { k: \"assumeNotNull(k)\" }WHERE }]\n";

        (await MigrationCase.RunAsync(c.Knows(Nullable.Replace("WHERE", ", where: k IS NOT NULL", StringComparison.Ordinal)), "m")).State.ShouldBe(RunState.Completed);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM {db}.g")).ShouldBe(1);
    }

    [Fact]
    public async Task A_row_that_comes_late_with_a_small_key_is_found_and_copied()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Copy);

        // A view on the target writes a row into the source behind the copy, once.
        await c.SqlAsync("CREATE MATERIALIZED VIEW {db}.late TO {db}.a AS SELECT toUInt64(3) AS id, 'late' AS s FROM {db}.b AS b WHERE b.id = 900");

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await SameAsync(c)).ShouldBeTrue();
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM {db}.b WHERE s = 'late'")).ShouldBe(1);
    }

    [Fact]
    public async Task Nothing_to_copy_is_done_at_once()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("TRUNCATE TABLE {db}.a");

        (await MigrationCase.RunAsync(c.Knows(Copy), "m")).State.ShouldBe(RunState.Completed);
    }

    [Theory]
    [InlineData("INSERT INTO {db}.b VALUES (3, 'mine')", "could not be told from those that are copied")]
    [InlineData("ALTER TABLE {db}.b ADD COLUMN more String", "has no column more")]
    [InlineData("DROP TABLE {db}.a SYNC", "no table")]
    [InlineData("DROP TABLE {db}.b SYNC; CREATE TABLE {db}.b (id UInt64, s String) ENGINE = Memory", "not a table of the MergeTree family")]
    [InlineData("DROP TABLE {db}.b SYNC; CREATE TABLE {db}.b (id String, s String) ENGINE = MergeTree ORDER BY id", "copied along an integer, a Date or a DateTime")]
    [InlineData("DROP TABLE {db}.b SYNC; CREATE TABLE {db}.b (id DateTime, s String) ENGINE = MergeTree ORDER BY id", "must be the same column")]
    public async Task What_cannot_be_copied_is_told_and_nothing_is_changed(string setup, string sentence)
    {
        await using var c = await NewAsync();
        await c.SqlAsync(setup.Split("; "));
        var before = await c.EverythingAsync();
        var migrator = c.Knows(Copy);
        var proposal = await migrator.ProposeAsync(new Godwit.Migrations.MigrationRequest("m"), new RunOptions(), MigrationCase.Ct);

        var told = proposal.Plan is null ? string.Join(' ', proposal.Checks.Select(x => x.Message)) : (await MigrationCase.RunAsync(migrator, "m")).Problem;

        told!.ShouldContain(sentence);
        (await c.EverythingAsync()).ShouldBe(before);
    }

    private static Task<bool> SameAsync(MigrationCase c) => c.AskAsync<bool>(
        "SELECT (SELECT (count(), sum(cityHash64(*))) FROM {db}.a) = (SELECT (count(), sum(cityHash64(*))) FROM {db}.b WHERE s != 'mine')");

    private async Task<MigrationCase> NewAsync()
    {
        var c = await MigrationCase.NewAsync(real.Engine);
        await c.SqlAsync(
            "CREATE TABLE {db}.a (id UInt64, s String) ENGINE = MergeTree PARTITION BY id % 3 ORDER BY s",
            "CREATE TABLE {db}.b (id UInt64, s String) ENGINE = MergeTree ORDER BY id",
            "INSERT INTO {db}.a SELECT number, toString(number) FROM numbers(1000)");
        return c;
    }
}
