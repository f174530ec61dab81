using Godwit.ClickHouse;
using Shouldly;
using Xunit;

namespace Godwit.Tests.ClickHouse;

public class QuotingTests
{
    [Theory]
    [InlineData("plain", "`plain`")]
    [InlineData("we`ird\"na.me\\", "`we\\`ird\"na.me\\\\`")]
    [InlineData("it's", "`it's`")]
    [InlineData("a\nb\tc\rd\0e", "`a\\nb\\tc\\rd\\0e`")]
    [InlineData("x` ; DROP TABLE y --", "`x\\` ; DROP TABLE y --`")]
    [InlineData("\\`", "`\\\\\\``")]
    [InlineData("表😀", "`表😀`")]
    public void Identifiers_cannot_leave_their_backticks(string name, string sql) => Sql.Identifier(name).ShouldBe(sql);

    [Theory]
    [InlineData("", "''")]
    [InlineData("it's", "'it\\'s'")]
    [InlineData("\\", "'\\\\'")]
    [InlineData("\\' OR 1", "'\\\\\\' OR 1'")]
    [InlineData("a`b\"c", "'a`b\"c'")]
    [InlineData("a\nb", "'a\\nb'")]
    public void Literals_cannot_leave_their_quotes(string value, string sql) => Sql.Literal(value).ShouldBe(sql);

    [Fact]
    public void Numbers_are_written_without_a_culture()
    {
        Sql.Literal(long.MinValue).ShouldBe("-9223372036854775808");
        Sql.Literal(ulong.MaxValue).ShouldBe("18446744073709551615");
    }

    [Fact]
    public void An_empty_identifier_is_refused() => Should.Throw<ArgumentException>(() => Sql.Identifier(""));

    [Theory]
    [InlineData("db.table", "db", "table")]
    [InlineData(" my-db.events_2024 ", "my-db", "events_2024")]
    [InlineData("\"my.db\".\"a.b\"", "my.db", "a.b")]
    [InlineData("`x`.`y`", "x", "y")]
    [InlineData("db.`a``b`", "db", "a`b")]
    [InlineData("`a\\`b`.\"c\\\\\"", "a`b", "c\\")]
    [InlineData("\"say \"\"hi\"\"\".t", "say \"hi\"", "t")]
    public void Qualified_names_are_read(string text, string database, string table)
    {
        var name = QualifiedName.Parse(text);
        name.ShouldBe(new QualifiedName(database, table));
        name.ToSql().ShouldBe($"{Sql.Identifier(database)}.{Sql.Identifier(table)}");
        QualifiedName.Parse(name.ToString()).ShouldBe(name);
        QualifiedName.Parse(name.ToSql()).ShouldBe(name);
    }

    [Theory]
    [InlineData(null, "is not a table's name")]
    [InlineData("", "is not a table's name")]
    [InlineData("table", "names no database")]
    [InlineData("a.b.c", "has 3 parts")]
    [InlineData("a.", "is not a table's name")]
    [InlineData(".a", "is not a table's name")]
    [InlineData("a b.c", "is not a table's name")]
    [InlineData("`a.b", "is not a table's name")]
    [InlineData("`a`b.c", "is not a table's name")]
    [InlineData("a.b; DROP TABLE c", "is not a table's name")]
    [InlineData("``.b", "is not a table's name")]
    [InlineData("a.'b'", "is not a table's name")]
    public void Other_names_are_refused_with_a_sentence_that_shows_how(string? text, string problem)
    {
        QualifiedName.TryParse(text, out var name, out var error).ShouldBeFalse();
        name.ShouldBeNull();
        error.ShouldNotBeNull();
        error.ShouldContain(problem);
        error.ShouldContain("\"my.db\".\"a.b\"");
    }

    [Fact]
    public void A_readable_name_is_quoted_only_where_it_must_be()
    {
        new QualifiedName("db", "t").ToString().ShouldBe("db.t");
        new QualifiedName("my.db", "t").ToString().ShouldBe("\"my.db\".t");
    }
}
