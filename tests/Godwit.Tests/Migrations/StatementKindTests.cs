using Godwit.Operations;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Migrations;

/// <summary>What is known of a statement from its words: whether it may be sent twice, and whether it takes rows away.</summary>
public sealed class StatementKindTests
{
    public static TheoryData<string, bool, bool> Statements => new()
    {
        { "CREATE TABLE IF NOT EXISTS a.b (c UInt8) ENGINE = Memory", true, false },
        { "CREATE TABLE a.b (c UInt8) ENGINE = Memory", false, false },
        { "create or replace view a.b as select 1", true, false },
        { "DROP TABLE IF EXISTS a.b SYNC", true, true },
        { "DROP VIEW a.b", false, false },
        { "DROP DICTIONARY IF EXISTS a.b", true, false },
        { "/* why */ DROP TABLE a.b", false, true },
        { "-- why\nTRUNCATE TABLE a.b", true, true },
        { "DELETE FROM a.b WHERE c = 1", false, true },
        { "ALTER TABLE a.b DELETE WHERE c = 1", false, true },
        { "ALTER TABLE a.b DELETE IN PARTITION 1 WHERE c = 1", false, true },
        { "ALTER TABLE a.b DROP COLUMN c", false, true },
        { "ALTER TABLE a.b CLEAR COLUMN c", false, true },
        { "ALTER TABLE a.b DROP PARTITION ID '1'", false, true },
        { "ALTER TABLE a.b UPDATE c = 'DROP COLUMN' WHERE 1", false, false },
        { "ALTER TABLE a.b ADD COLUMN d UInt8", false, false },
        { "ALTER TABLE a.b DROP INDEX i", false, false },
        { "INSERT INTO a.b SELECT 1", false, false },
        { "WITH x AS (SELECT 1) INSERT INTO a.b SELECT * FROM x", false, false },
        { "CREATE TABLE IF NOT EXISTS a.b ENGINE = Log AS SELECT 1", false, false },
        { "CREATE TABLE IF NOT EXISTS a.b EMPTY AS SELECT 1", true, false },
        { "CREATE TABLE IF NOT EXISTS a.b AS a.c", true, false },
        { "CREATE MATERIALIZED VIEW IF NOT EXISTS a.b ENGINE = Log POPULATE AS SELECT 1", false, false },
        { "CREATE MATERIALIZED VIEW IF NOT EXISTS a.b TO a.c AS SELECT 1", true, false },
        { "OPTIMIZE TABLE a.b FINAL", true, false },
        { "SYSTEM RELOAD DICTIONARY a.b", true, false },
        { "", false, false },
        { "(", false, false },
    };

    [Theory]
    [InlineData("ALTER TABLE a.b ADD COLUMN c UInt8", true)]
    [InlineData("ALTER TABLE a.b ADD COLUMN c UInt8, ADD COLUMN d UInt8", true)]
    [InlineData("ALTER TABLE a.b ATTACH PARTITION 1 FROM a.c", true)]
    [InlineData("ALTER TABLE a.b ATTACH PARTITION 1 FROM a.c, ATTACH PARTITION 2 FROM a.d", false)]
    [InlineData("DROP TABLE a.b", true)]
    [InlineData("DROP TABLE a.b, a.c", false)]
    [InlineData("RENAME TABLE a.b TO a.c, a.d TO a.e", false)]
    [InlineData("DROP DATABASE a", false)]
    [InlineData("INSERT INTO a.b SELECT 1", false)]
    [InlineData("WITH x AS (SELECT 1) INSERT INTO a.b SELECT * FROM x", false)]
    [InlineData("CREATE TABLE a.b ENGINE = Log AS SELECT 1", false)]
    [InlineData("CREATE TABLE a.b (c UInt8) ENGINE = Log", true)]
    [InlineData("", false)]
    public void A_refusal_means_that_nothing_was_done_only_of_what_is_one_thing(string sql, bool isAllOrNothing) => StatementKind.IsAllOrNothing(sql).ShouldBe(isAllOrNothing);

    [Fact]
    public void A_summary_has_no_password() =>
        StatementKind.Summary("CREATE USER a\n  IDENTIFIED BY 'hunter2'").ShouldBe("CREATE USER a IDENTIFIED BY '***'");

    [Theory]
    [MemberData(nameof(Statements))]
    public void A_statement_is_judged_by_its_words(string sql, bool isRepeatable, bool isDestructive) =>
        (StatementKind.IsRepeatable(sql), StatementKind.IsDestructive(sql)).ShouldBe((isRepeatable, isDestructive));
}
