using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.Rebuild;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Inspection;

/// <summary>Which keys are proposed for which queries.</summary>
public sealed class KeySuggestionsTests
{
    private static readonly QualifiedName Table = new("x", "t");

    [Fact]
    public void Equalities_come_in_the_order_of_their_values_and_a_range_comes_last()
    {
        var made = Make("ts", Query(900, Equal("user"), Equal("country"), Range("ts")));

        made.Proposals[0].OrderBy.ShouldBe("(`country`, `user`, `ts`)");
        made.Proposals[0].Why.ShouldBe(
            "It serves what most rows of the log were read for. Queries ask for single values of these, and those with few values come first: country (20 values), then user (50,000 values); ranges of ts come last, because nothing after a range helps.");
        made.None.ShouldBeNull();
    }

    [Fact]
    public void What_few_rows_were_read_for_does_not_come_into_the_first_key()
    {
        var made = Make("ts", Query(950, Equal("user")), Query(50, Equal("country")));

        made.Proposals.Select(p => p.OrderBy).ShouldBe(["`user`"]);
    }

    [Fact]
    public void The_present_key_is_not_proposed()
    {
        var made = Make("user, ts", Query(900, Equal("user")));

        made.Proposals.ShouldBeEmpty();
        made.None.ShouldBe("The present key (user, ts) already begins with what the queries of the log ask for.");
    }

    [Fact]
    public void Columns_that_are_no_key_and_conditions_that_no_key_serves_give_no_proposal()
    {
        var made = Make("ts", Query(900, Equal("price"), new ConditionColumn("user", ConditionUse.Other)));

        made.Proposals.ShouldBeEmpty();
        made.None!.ShouldStartWith("No key can be proposed: no query in the log asks for");
    }

    private static KeyProposals Make(string sortingKey, params QueryShape[] queries)
    {
        var source = new TableSnapshot
        {
            Name = Table,
            Uuid = Guid.Empty,
            EngineName = "MergeTree",
            DatabaseEngine = "Atomic",
            StoragePolicy = "default",
            SortingKey = sortingKey,
            PartitionKey = "",
            Definition = TableDefinition.Parse("CREATE TABLE t (a UInt8) ENGINE = MergeTree"),
            Columns = [new("user", "UInt32", "", ""), new("country", "String", "", ""), new("ts", "DateTime", "", ""), new("price", "Float64", "", "")],
            Partitions = [],
        };
        var counted = new[] { ("user", 50_000), ("country", 20), ("ts", 1_000_000), ("price", 900_000) };
        return KeySuggestions.Make(source, new Workload(Table, 7) { Queries = queries }, counted.ToDictionary(c => c.Item1, c => new ColumnSelectivity(c.Item1, false, c.Item2, 1_000_000), StringComparer.Ordinal));
    }

    private static QueryShape Query(long rows, params ConditionColumn[] conditions) =>
        new("1", "SELECT 1") { Count = 1, ReadRows = new LogFigure(rows, rows), ReadBytes = new LogFigure(0, 0), DurationMs = new LogFigure(0, 0), Conditions = conditions };

    private static ConditionColumn Equal(string name) => new(name, ConditionUse.Equality);

    private static ConditionColumn Range(string name) => new(name, ConditionUse.Range);
}
