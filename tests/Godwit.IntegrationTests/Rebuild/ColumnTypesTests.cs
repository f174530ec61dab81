using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

public sealed class ColumnTypesTests(RealEngine real)
{
    private const string Layout = "ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (k, at)";
    private const string Rest =
        "TTL toDateTime(at) + toIntervalYear(70) SETTINGS index_granularity = 512, merge_with_ttl_timeout = 7200, min_bytes_for_wide_part = 0 COMMENT 'all (of, it) isn''t little'";

    private const string Columns =
        """
        (
            k UInt32,
            at DateTime64(6, 'Europe/Berlin'),
            n Nullable(Int64) COMMENT 'may be ''NULL''' CODEC(Delta(8), ZSTD(3)),
            lc LowCardinality(Nullable(String)) DEFAULT 'x',
            a Array(Nullable(String)),
            m Map(LowCardinality(String), Array(UInt8)),
            t Tuple(x Nullable(UInt8), `y z` String),
            de Decimal(38, 10),
            dw Decimal256(20),
            u UUID,
            e Enum8('a' = -1, 'it''s (b), c' = 2),
            j JSON(max_dynamic_paths = 4, known UInt32),
            ne Nested(id UInt32, name Nullable(String)),
            s AggregateFunction(uniqExact, UInt64),
            ss SimpleAggregateFunction(sum, UInt64),
            v Variant(String, UInt64, Array(Nullable(UInt8))),
            dy Dynamic(max_types = 2),
            p Point,
            f Float64,
            fs FixedString(5),
            ip IPv6,
            d32 Date32,
            i256 Int256,
            b Bool,
            ran UUID MATERIALIZED generateUUIDv4(),
            mat String MATERIALIZED upper(toString(k)),
            al String ALIAS concat(toString(k), ', (', mat),
            def UInt64 DEFAULT k * 2,
            eph String EPHEMERAL 'e',
            from_eph String DEFAULT concat('from ', eph),
            tt String TTL toDateTime(at) + toIntervalYear(60),
            st String STATISTICS(uniq),
            INDEX i1 n TYPE minmax GRANULARITY 4,
            INDEX i2 lower(tt) TYPE tokenbf_v1(1024, 3, 0) GRANULARITY 1,
            PROJECTION pr (SELECT k, count(), uniq(u) GROUP BY k),
            CONSTRAINT positive CHECK k >= 0
        )
        """;

    private const string Insert =
        """
        INSERT INTO @t (k, at, n, lc, a, m, t, de, dw, u, e, j, ne.id, ne.name, s, ss, v, dy, p, f, fs, ip, d32, i256, b, def, eph, tt, st)
        SELECT number % 100, toDateTime64('2026-01-15 12:00:00.123456', 6) + toIntervalDay(number % 90), if(number % 3 = 0, NULL, number), if(number % 4 = 0, NULL, toString(number % 5)),
            if(number % 2 = 0, [NULL, toString(number), ''], []), map('a', [number % 7], 'b', []), (if(number % 5 = 0, NULL, number % 200), 'it''s'),
            number / 7, -number * 1000, generateUUIDv4(number), if(number % 2 = 0, 'a', 'it''s (b), c'),
            format('{{"known": {0}, "p{1}": {{"deep": [{0}, null, "x"]}}, "n": null, "f": 1.5}}', toString(number), toString(number % 9)),
            [number, number + 1], [NULL, toString(number)],
            arrayReduce('uniqExactState', [number, number % 3]), number,
            multiIf(number % 4 = 0, CAST(NULL, 'Variant(String, UInt64, Array(Nullable(UInt8)))'), number % 4 = 1, CAST(number, 'Variant(String, UInt64, Array(Nullable(UInt8)))'),
                CAST([NULL, 1]::Array(Nullable(UInt8)), 'Variant(String, UInt64, Array(Nullable(UInt8)))')),
            multiIf(number % 4 = 0, CAST(NULL, 'Dynamic(max_types=2)'), number % 4 = 1, CAST(number, 'Dynamic(max_types=2)'), number % 4 = 2, CAST('s', 'Dynamic(max_types=2)'), CAST(toDate('2026-01-01'), 'Dynamic(max_types=2)')),
            (number, -0.5), multiIf(number % 5 = 0, nan, number % 5 = 1, -0.0, number % 5 = 2, inf, number % 5 = 3, 0.0, number / 3), 'ab', toIPv6('::1'), '1925-01-01', -number, number % 2,
            number, toString(number), 'text ' || toString(number), toString(number % 3)
        FROM numbers(2000)
        """;

    [Theory]
    [InlineData("ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (at, k)")]
    [InlineData("ENGINE = MergeTree PARTITION BY (k % 3, lc) ORDER BY (e, u, k) SETTINGS allow_nullable_key = 1")]
    public async Task EveryTypeAndEveryPropertyOfAColumnArrives(string layout)
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        string With(string text) => text.Contains("SETTINGS", StringComparison.Ordinal)
            ? text.Replace(" SETTINGS ", " " + Rest.Replace("min_bytes_for_wide_part = 0", "min_bytes_for_wide_part = 0, allow_nullable_key = 1", StringComparison.Ordinal) + "\0", StringComparison.Ordinal).Split('\0')[0]
            : $"{text} {Rest}";
        await c.SqlAsync($"CREATE TABLE @t {Columns} {Layout} {Rest}", $"CREATE TABLE @wish {Columns} {With(layout)}", Insert);
        var rows = await RowsAsync(c);

        var status = await c.RunAsync(
            new RebuildRequest { Table = c.Table, Ddl = $"CREATE TABLE t {Columns} {With(layout)}" },
            () => c.SqlAsync("INSERT INTO @t (k, at) VALUES (7, '2026-02-01 00:00:00')", "ALTER TABLE @t DELETE WHERE k = 7 AND at = '2026-02-01 00:00:00' SETTINGS mutations_sync = 2"));

        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await c.Migrator.CleanUpAsync(status.RunId, ct: RebuildCase.Ct)).CleanedUp.ShouldBeTrue();
        (await RowsAsync(c)).ShouldBe(rows);
        (await c.DefinitionAsync("t")).ShouldBe(await c.DefinitionAsync("wish"));
    }

    [Fact]
    public async Task EveryTypeComesBackInARollback()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync($"CREATE TABLE @t {Columns} {Layout} {Rest}", Insert);
        var definition = await c.DefinitionAsync("t");
        var status = await c.RunAsync(new RebuildRequest { Table = c.Table, OrderBy = "(at, k)" });
        status.State.ShouldBe(RunState.Completed, status.Problem);
        await c.SqlAsync(Insert);
        var rows = await RowsAsync(c);

        var back = await c.Migrator.RollbackAsync(status.RunId, ct: RebuildCase.Ct);

        back.State.ShouldBe(RunState.RolledBack, back.Problem);
        (await RowsAsync(c)).ShouldBe(rows);
        (await c.DefinitionAsync("t")).ShouldBe(definition);
    }

    // The bytes of a JSON or a state may differ in their order where their values do not; each column is told apart when one differs.
    private static async Task<string> RowsAsync(RebuildCase c) => await c.AskAsync<string>(
        $"SELECT toString({string.Join(" || ' ' || ", (await ColumnsAsync(c)).Select(n => $"'{n.Replace("'", "", StringComparison.Ordinal)}=' || toString(sum(cityHash64(formatRow('TSV', k, {(n == "s" ? "finalizeAggregation(s)" : n)}))))"))}) FROM @t");

    private static async Task<string[]> ColumnsAsync(RebuildCase c) => (await c.AskAsync<string>(
        $"SELECT arrayStringConcat(groupArray(name), ' ') FROM system.columns WHERE database = '{c.Database}' AND table = 't' AND default_kind != 'EPHEMERAL'")).Split(' ');
}
