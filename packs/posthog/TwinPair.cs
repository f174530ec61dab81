using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>A table and the twin that is to take its place and has its rows by links.</summary>
/// <param name="Table">The table.</param>
/// <param name="Twin">Its twin.</param>
internal sealed record TwinPair(QualifiedName Table, QualifiedName Twin)
{
    private const string Compared = "compare";

    /// <summary>What the comparison does.</summary>
    /// <param name="undoAsync">What undoes it; nothing when null.</param>
    public static MigrationCode Code(Func<CodeContext, CancellationToken, Task>? undoAsync = null) => new(Compared, RequireEqualAsync) { UndoAsync = undoAsync ?? ((_, _) => Task.CompletedTask) };

    /// <summary>To be done before the names change hands: whoever writes without Kafka may have written since the rows were linked.</summary>
    public static Operation Compare(IReadOnlyList<TwinPair> pairs) =>
        new CodeOperation(Compared) { Arguments = pairs, Description = $"Compare the rows of {(pairs is [var pair] ? $"{pair.Table} and its twin" : "all tables and their twins")}" };

    private static async Task RequireEqualAsync(CodeContext context, CancellationToken ct)
    {
        var (gateway, pairs) = (context.Migration.ClickHouse, context.Arguments<List<TwinPair>>());
        List<string> differing = [];
        foreach (var pair in pairs)
        {
            var rows = await Task.WhenAll(new[] { pair.Table, pair.Twin }.Select(n => gateway.ScalarAsync<long>($"SELECT toInt64(count()) FROM {n.ToSql()}", ct: ct)));
            differing.AddRange(rows[0] == rows[1] ? [] : [$"{pair.Table} has {rows[0]} rows and its twin {rows[1]}"]);
        }

        if (differing.Count > 0)
        {
            throw new InvalidOperationException($"{string.Join(", ", differing)}: something has written since the rows were linked. Stop that, then `rollback` and run the migration again.");
        }
    }
}
