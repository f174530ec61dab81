using Godwit.ClickHouse;
using Godwit.Rebuild;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Rebuild;

/// <summary>A Distributed table is read from what system.tables has of it, and another one is made like it.</summary>
public sealed class DistributedTableTests
{
    private static readonly QualifiedName Spread = new("db", "spread");
    private static readonly QualifiedName Mine = new("db", "mine");
    private static readonly QualifiedName New = new("db", "it's new");

    [Theory]
    [InlineData("Distributed('c', 'db', 't')", "Distributed('c', 'db', 'it\\'s new')")]
    [InlineData("Distributed('c', 'db', 't', cityHash64(a, b), 'policy')", "Distributed('c', 'db', 'it\\'s new', cityHash64(a, b), 'policy')")]
    [InlineData("Distributed(c, db, t, rand()) SETTINGS fsync_after_insert = 1", "Distributed(c, 'db', 'it\\'s new', rand()) SETTINGS fsync_after_insert = 1")]
    [InlineData("Distributed('c', 'db', 'a SETTINGS b')", "Distributed('c', 'db', 'it\\'s new')")]
    public void Another_one_has_the_same_engine_before_another_table(string engine, string other) =>
        DistributedTable.Parse(Spread, engine).CreateSql(Mine, New).ShouldBe($"CREATE TABLE IF NOT EXISTS `db`.`mine` AS `db`.`spread` ENGINE = {other}");

    [Theory]
    [InlineData("Buffer('me', 'a SETTINGS b', 1, 1)", 4)]
    [InlineData("Buffer('me', 'a) SETTINGS b', 1)", 3)]
    [InlineData("Buffer('me'", 0)]
    [InlineData(")Buffer(", 0)]
    [InlineData("", 0)]
    public void Names_that_look_like_clauses_are_names_and_what_cannot_be_read_has_no_arguments(string clause, int arguments) =>
        TableEngine.ParseFull(clause).Engine.Arguments.Count.ShouldBe(arguments);
}
