using Godwit.Testing;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Testing;

/// <summary>What changes something is a moment; what only looks is none.</summary>
public sealed class SentStatementTests
{
    [Theory]
    [InlineData("INSERT INTO t VALUES (1)", true)]
    [InlineData("  /* why */ insert into t select 1", true)]
    [InlineData("-- a comment\nALTER TABLE t DROP COLUMN a", true)]
    [InlineData("WITH 1 AS x INSERT INTO t SELECT x", true)]
    [InlineData("SYSTEM STOP MERGES t", true)]
    [InlineData("OPTIMIZE TABLE t FINAL", true)]
    [InlineData("EXCHANGE TABLES a AND b", true)]
    [InlineData("DROP TABLE temporary", true)]
    [InlineData("SELECT 'INSERT INTO t'", false)]
    [InlineData("(SELECT 1) UNION ALL (SELECT 2)", false)]
    [InlineData("WITH 1 AS x SELECT x", false)]
    [InlineData("SYSTEM FLUSH LOGS", false)]
    [InlineData("SYSTEM FLUSH LOGS query_log", false)]
    [InlineData("KILL QUERY WHERE 1 SYNC", false)]
    [InlineData("CREATE TEMPORARY TABLE t (a UInt8)", false)]
    [InlineData("", false)]
    public void A_statement_changes_something_or_not(string sql, bool changes) =>
        new SentStatement(sql, null, new Dictionary<string, string>(StringComparer.Ordinal)).Changes.ShouldBe(changes);
}
