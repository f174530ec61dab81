using Godwit.ClickHouse;

namespace Godwit.Pack.PostHog;

/// <summary>A table and the twin that is to take its place and has its rows by links.</summary>
/// <param name="Table">The table.</param>
/// <param name="Twin">Its twin.</param>
internal sealed record TwinPair(QualifiedName Table, QualifiedName Twin)
{
    /// <summary>To be asked before the names change hands: whoever writes without Kafka may have written since.</summary>
    /// <exception cref="InvalidOperationException">A twin has not as many rows as its table.</exception>
    public static async Task RequireEqualAsync(ClickHouseGateway gateway, IReadOnlyList<TwinPair> pairs, CancellationToken ct)
    {
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
