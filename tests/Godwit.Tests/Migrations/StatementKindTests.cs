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
        { "OPTIMIZE TABLE a.b FINAL", true, false },
        { "SYSTEM RELOAD DICTIONARY a.b", true, false },
        { "", false, false },
        { "(", false, false },
    };

    [Theory]
    [MemberData(nameof(Statements))]
    public void A_statement_is_judged_by_its_words(string sql, bool isRepeatable, bool isDestructive) =>
        (StatementKind.IsRepeatable(sql), StatementKind.IsDestructive(sql)).ShouldBe((isRepeatable, isDestructive));
}
