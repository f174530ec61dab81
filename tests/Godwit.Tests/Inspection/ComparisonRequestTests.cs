using Godwit.ClickHouse;
using Godwit.Inspection;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Inspection;

public class ComparisonRequestTests
{
    [Theory]
    [InlineData("db.t", "db.t", "`db`.`t`")]
    [InlineData(" \"my.db\".`a/b` ", "\"my.db\".\"a/b\"", "`my.db`.`a/b`")]
    [InlineData("db./^events_/", "db./^events_/", "merge('db', '^events_')")]
    [InlineData("db./a/b/", "db./a/b/", "merge('db', 'a/b')")]
    [InlineData("db./it's \\d+/", "db./it's \\d+/", @"merge('db', 'it\'s \\d+')")]
    [InlineData("\"my.db\"./^e/", "\"my.db\"./^e/", "merge('my.db', '^e')")]
    [InlineData("\"a./b\"./^e/", "\"a./b\"./^e/", "merge('a./b', '^e')")]
    public void A_table_or_a_pattern_is_read_and_written_again(string text, string shown, string sql)
    {
        var read = TableOrPattern.Parse(text);

        (read.ToString(), read.ToSql()).ShouldBe((shown, sql));
        TableOrPattern.Parse(read.ToString()).ShouldBe(read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("t")]
    [InlineData("db.")]
    [InlineData("db.//")]
    [InlineData("db./x")]
    [InlineData("./x/")]
    [InlineData("a.b./x/")]
    public void What_is_neither_is_answered_with_how_both_are_written(string text)
    {
        TableOrPattern.TryParse(text, out _, out var error).ShouldBeFalse();
        error!.ShouldContain("write database.table");
        error!.ShouldContain("like db./^events_/.");
    }

    [Theory]
    [InlineData("a = 1")]
    [InlineData("a IN (1, 2) AND b[1] != 'x)' OR \"c(\" LIKE '%;%'")]
    [InlineData("`$group_0` = 'it''s' AND length(`a``b`) > -1.5e3")]
    [InlineData("arrayExists(x -> x > 1, c) OR a % 10 = 3")]
    [InlineData("name = 'é # $ -- /* \\' '")]
    [InlineData("selected = 1 AND a::String = 'SELECT'")]
    public void An_expression_may_choose_rows(string where) => SqlCondition.Problem(where).ShouldBeNull();

    [Theory]
    [InlineData("", "is empty")]
    [InlineData(" -- a", "is empty")]
    [InlineData("a = 'x", "a quote is not closed")]
    [InlineData("a = 'x\\'", "a quote is not closed")]
    [InlineData("a = `x", "a quote is not closed")]
    [InlineData("a = 1)", "its brackets do not match")]
    [InlineData("(a = 1", "its brackets do not match")]
    [InlineData("a[1) = 1]", "its brackets do not match")]
    [InlineData("1) OR (1", "its brackets do not match")]
    [InlineData("a IN (SELECT b FROM c)", "a subquery")]
    [InlineData("exists(select 1)", "a subquery")]
    [InlineData("1) UNION ALL SELECT (1", "its brackets do not match")]
    [InlineData("a = 1 -- b", "a comment")]
    [InlineData("a = 1 /* b", "a comment")]
    [InlineData("/* b */ a = 1", "a comment")]
    [InlineData("a = 1 // b", "a comment")]
    [InlineData("a = 1 # b", "# stands in it")]
    [InlineData("a = 1; DROP TABLE t", "; stands in it")]
    [InlineData("$$ ' $$ = a OR b = '", "$ stands in it")]
    [InlineData("a = {x:String}", "{ stands in it")]
    [InlineData("a = \u2018x\u2019", "\u2018 stands in it")]
    [InlineData("a = 1 \\G", "\\ stands in it")]
    public void What_is_no_expression_is_refused(string where, string why)
    {
        var request = new ComparisonRequest(new TableOrPattern(new QualifiedName("d", "a")), TableOrPattern.Matching("d", "b")) { Where = where };

        request.Problems().ShouldHaveSingleItem().ShouldContain(why);
    }

    [Fact]
    public void Too_many_columns_and_a_limit_without_sense_are_refused_together()
    {
        var side = TableOrPattern.Parse("d.t");

        new ComparisonRequest(side, side) { By = [.. Enumerable.Repeat("c", 11)], Limit = 1001 }.Problems().Count().ShouldBe(2);
    }
}
