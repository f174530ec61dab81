using Godwit.ClickHouse;
using Godwit.Rebuild;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Rebuild;

public class FedViewTests
{
    private static readonly QualifiedName From = new("db", "t");
    private static readonly QualifiedName To = new("db", "t_godwit_x");

    /// <summary>As the server formats a SELECT, and as it must read; null where it cannot be redirected.</summary>
    public static TheoryData<string, string?> Selects => new()
    {
        { "SELECT a FROM db.t", "SELECT a FROM `db`.`t_godwit_x` AS `t`" },
        { "SELECT t.a FROM db.t WHERE a > 1", "SELECT t.a FROM `db`.`t_godwit_x` AS `t` WHERE a > 1" },
        { "SELECT x.a FROM db.t AS x", "SELECT x.a FROM `db`.`t_godwit_x` AS x" },
        { "SELECT a FROM db.`t`", "SELECT a FROM `db`.`t_godwit_x` AS `t`" },
        { "SELECT a, count() FROM (SELECT a FROM db.t WHERE b) GROUP BY a", "SELECT a, count() FROM (SELECT a FROM `db`.`t_godwit_x` AS `t` WHERE b) GROUP BY a" },
        { "SELECT trim(BOTH 'x' FROM a) AS a FROM db.t", "SELECT trim(BOTH 'x' FROM a) AS a FROM `db`.`t_godwit_x` AS `t`" },
        { "SELECT a FROM db.t WHERE a > (SELECT max(a) FROM db.t)", "SELECT a FROM `db`.`t_godwit_x` AS `t` WHERE a > (SELECT max(a) FROM db.t)" },
        { "SELECT ' FROM db.t', a FROM db.t", "SELECT ' FROM db.t', a FROM `db`.`t_godwit_x` AS `t`" },
        {
            "WITH (SELECT 1 FROM db.u) AS one SELECT a + one FROM db.t AS t INNER JOIN db.u AS u USING (a)",
            "WITH (SELECT 1 FROM db.u) AS one SELECT a + one FROM `db`.`t_godwit_x` AS t INNER JOIN db.u AS u USING (a)"
        },
        { "WITH x AS (SELECT a FROM db.t) SELECT a FROM x", null },
        { "SELECT a FROM db.other", null },
        { "SELECT a FROM merge('db', 't')", null },
        { "SELECT 1", null },
    };

    [Theory]
    [MemberData(nameof(Selects))]
    public void A_view_is_asked_of_another_table(string select, string? expected) => new FedView(new QualifiedName("db", "v"), To, select).Over(From, To).ShouldBe(expected);

    [Theory]
    [InlineData("CREATE MATERIALIZED VIEW db.v TO db.seen (`id` UInt64) AS ", "`db`.`seen`")]
    [InlineData("CREATE MATERIALIZED VIEW db.v TO db.`a.b (` (`id` Decimal(9, 2)) DEFINER = me SQL SECURITY DEFINER AS ", "`db`.`a.b (`")]
    [InlineData(
        "CREATE MATERIALIZED VIEW db.v (`k` UInt8, `c` UInt64) ENGINE = SummingMergeTree(c) ORDER BY (k) SETTINGS index_granularity = 8192 AS ",
        "`db`.`.inner_id.u-1`")]
    public void A_view_is_read_from_its_definition(string head, string target)
    {
        var view = FedView.Read(new QualifiedName("db", "v"), "u-1", head + "SELECT id FROM db.t", "SELECT id FROM db.t").ShouldNotBeNull();
        view.Target.ToSql().ShouldBe(target);
    }

    [Fact]
    public void A_view_that_a_clock_refreshes_is_not_fed_by_inserts() => FedView.Read(
        new QualifiedName("db", "v"), "u", "CREATE MATERIALIZED VIEW db.v REFRESH EVERY 1 HOUR TO db.seen (`id` UInt64) AS SELECT 1 FROM db.t", "SELECT 1 FROM db.t").ShouldBeNull();
}
