using Godwit.Inspection;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Inspection;

/// <summary>Which columns a query asks for, read from its words.</summary>
public sealed class ConditionReaderTests
{
    private static readonly HashSet<string> Columns = new(["id", "user", "ts", "v", "a.b", "format", "<b>", "c`d"], StringComparer.Ordinal);

    [Theory]
    [InlineData("SELECT v FROM t WHERE id = 5", "id Equality")]
    [InlineData("SELECT v FROM t PREWHERE t.id IN (1, 2) WHERE 5 < ts", "id Equality, ts Range")]
    [InlineData("SELECT v FROM t WHERE x.t.user GLOBAL IN (SELECT id FROM u WHERE v > 3)", "user Equality, v Range")]
    [InlineData("SELECT v FROM t WHERE (id, user) IN ((1, 2))", "id Equality, user Equality")]
    [InlineData("SELECT v FROM t WHERE ts BETWEEN 1 AND 2 AND user LIKE 'a%' AND v LIKE '%a'", "ts Range, user Range, v Other")]
    [InlineData("SELECT v FROM t WHERE toStartOfHour(ts) = '2026-01-01 00:00:00' AND lower(user) = 'x'", "ts Range, user Other")]
    [InlineData("SELECT v FROM t WHERE equals(id, 3) AND greaterOrEquals(ts, 5) AND startsWith(user, 'a')", "id Equality, ts Range, user Range")]
    [InlineData("SELECT v FROM t WHERE id != 3 AND user <> 4 AND v NOT IN (1) AND 3 != ts", "id Other, ts Other, user Other, v Other")]
    [InlineData("SELECT toDate(ts) AS d FROM t WHERE d = today() GROUP BY user HAVING v > 3 ORDER BY id", "ts Range")]
    [InlineData("WITH id AS i SELECT v FROM t WHERE i = 3", "id Range")]
    [InlineData("SELECT v FROM t WHERE `a.b` = 1 AND t.`<b>` = 2 AND `c\\`d` = 3", "<b> Equality, a.b Equality, c`d Equality")]
    [InlineData("SELECT v FROM t WHERE format = 'x' AND 'id = 3' != '' FORMAT JSON", "format Equality")]
    [InlineData("SELECT id, 5 = user FROM t ORDER BY ts = 3", "")]
    [InlineData("SELECT v FROM t WHERE id < 3 OR id = 4", "id Equality")]
    [InlineData("((((", "")]
    [InlineData("SELECT v FROM t WHERE id", "id Other")]
    [InlineData("WHERE ) id = 3", "")]
    public void Columns_in_conditions_are_found(string text, string found) =>
        string.Join(", ", ConditionReader.Read(text, Columns).Select(c => $"{c.Name} {c.Use}")).ShouldBe(found);
}
