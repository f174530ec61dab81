using Godwit.ClickHouse;
using Godwit.Inspection;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Inspection;

/// <summary>What of a logged query may be sent again, and over which table.</summary>
public sealed class QueryExplainerTests
{
    private static readonly QualifiedName Table = new("x", "t");

    [Theory]
    [InlineData("SELECT 1 FROM t", "SELECT 1 FROM t")]
    [InlineData("SELECT 1 FROM t SETTINGS max_execution_time = 0, readonly = 0", "SELECT 1 FROM t ")]
    [InlineData("SELECT 1 FROM t FORMAT JSON", "SELECT 1 FROM t ")]
    [InlineData("SELECT 1 FROM t FORMAT JSON SETTINGS max_threads = 1", "SELECT 1 FROM t ")]
    [InlineData("SELECT 1 FROM t SETTINGS max_threads = 1 FORMAT JSON", "SELECT 1 FROM t ")]
    [InlineData("SELECT 1 FROM t INTO OUTFILE 'x'", "SELECT 1 FROM t ")]
    [InlineData("SELECT format FROM t WHERE settings = 'SETTINGS a = 1'", "SELECT format FROM t WHERE settings = 'SETTINGS a = 1'")]
    [InlineData("(SELECT 1) UNION ALL (SELECT 2)", "(SELECT 1) UNION ALL (SELECT 2)")]
    public void Settings_and_format_of_its_own_are_cut_away(string text, string left) => QueryExplainer.Prepare(new LoggedQuery(text, "x", null)).Text.ShouldBe(left);

    [Theory]
    [InlineData("DROP TABLE t", "it is no SELECT")]
    [InlineData("", "it is no SELECT")]
    [InlineData("SELECT 1 FROM (SELECT 1 FROM t SETTINGS max_execution_time = 0)", "a part of it brings settings of its own")]
    [InlineData("SELECT 1 FROM t SETTINGS max_threads = 1 UNION ALL SELECT 2 FROM t", "a part of it brings settings of its own")]
    public void What_must_not_be_sent_again_says_why(string text, string why)
    {
        var (left, obstacle) = QueryExplainer.Prepare(new LoggedQuery(text, "x", null));

        (left, obstacle).ShouldBe((null, why));
    }

    [Theory]
    [InlineData("SELECT t.v, x.t.v FROM x.t WHERE x.t.id = 'x.t'", "SELECT t.v, `t`.`v` FROM `t` WHERE `t`.`id` = 'x.t'")]
    [InlineData("SELECT a.v FROM `x`.`t` AS a JOIN y.t AS b USING id", "SELECT a.v FROM `t` AS a JOIN y.t AS b USING id")]
    [InlineData("SELECT v FROM t", "SELECT v FROM t")]
    [InlineData("SELECT v FROM x.tt, ax.t", "SELECT v FROM x.tt, ax.t")]
    public void Only_the_name_of_the_table_is_replaced(string text, string replaced) => QueryExplainer.Over(text, "x", Table).ShouldBe((replaced, null));

    [Fact]
    public void A_name_that_has_everything_in_it_is_replaced()
    {
        var table = new QualifiedName("my.db`x", "<b>t'\"\\\n é");
        var text = $"SELECT 1 FROM {table.ToSql()} WHERE {table.ToSql()}.`a.b` = 1";

        QueryExplainer.Over(text, "x", table).Text.ShouldBe($"SELECT 1 FROM {Sql.Identifier(table.Table)} WHERE {Sql.Identifier(table.Table)}.`a.b` = 1");
    }

    [Fact]
    public void Another_table_of_the_same_name_is_not_taken_for_it() =>
        QueryExplainer.Over("SELECT 1 FROM t JOIN x.t AS b USING id", "y", Table).ShouldBe((null, "it reads another table of the name t too"));
}
