namespace Godwit.ClickHouse;

/// <summary>What a server knows of what newer ones know.</summary>
internal static class Known
{
    /// <summary>Those of some settings that the server has: an unknown one is an error.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> SettingsAsync(ClickHouseGateway gateway, IReadOnlyDictionary<string, string> wanted, CancellationToken ct) =>
        (await gateway.QueryAsync($"SELECT name FROM system.settings WHERE name IN ({string.Join(", ", wanted.Keys.Select(Sql.Literal))})", ct: ct))
            .ToDictionary(r => r["name"], r => wanted[r["name"]], StringComparer.Ordinal);

    /// <summary>The columns of some system tables that the server has, as <c>table.column</c>; none for a table that it does not have.</summary>
    public static async Task<HashSet<string>> ColumnsAsync(ClickHouseGateway gateway, IReadOnlyList<string> tables, QueryOptions? options, CancellationToken ct) =>
        (await gateway.QueryAsync($"SELECT table, name FROM system.columns WHERE database = 'system' AND table IN ({string.Join(", ", tables.Select(Sql.Literal))})", options, ct))
            .Select(r => $"{r["table"]}.{r["name"]}").ToHashSet(StringComparer.Ordinal);
}
