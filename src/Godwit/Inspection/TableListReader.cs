using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Inspection;

/// <summary>
/// Lists the tables of a server. The server adds up its system tables, and the sums are put together here: it has no join that is both quick
/// and understood by servers of all ages.
/// </summary>
internal sealed class TableListReader(ClickHouseGateway gateway)
{
    private const string NotSystem = "database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA')";

    // Godwit's own tables, whatever run made them: they are no one else's to change.
    private const string Helper = "_godwit_[a-z0-9]{8}(" + HelperTables.Suffix + ")?$";

    public async Task<TablePage> ReadAsync(TableFilter filter, int most, int offset, CancellationToken ct)
    {
        var known = await Known.ColumnsAsync(gateway, ["tables", "mutations"], null, ct);
        var tables = await TablesAsync(filter, known.Contains("tables.total_rows"), ct);
        var parts = (await gateway.QueryAsync(
            $"""
             SELECT database, table, sum(rows) AS row_count, sum(bytes_on_disk) AS bytes, sum(data_uncompressed_bytes) AS uncompressed, count() AS parts, uniqExact(partition_id) AS partitions
             FROM system.parts WHERE active AND {NotSystem} GROUP BY database, table
             """,
            ct: ct)).ToDictionary(Key);
        var mutations = known.Contains("mutations.is_done") ? await CountAsync("system.mutations WHERE NOT is_done AND", ct) : [];
        var merges = await CountAsync("system.merges WHERE", ct);
        var all = tables.Select(t => WithParts(t, parts.GetValueOrDefault((t.Table.Database, t.Table.Table))) with
        {
            UnfinishedMutations = mutations.GetValueOrDefault((t.Table.Database, t.Table.Table)),
            RunningMerges = merges.GetValueOrDefault((t.Table.Database, t.Table.Table)),
        }).ToList();
        var page = all.OrderByDescending(t => t.Bytes ?? -1).ThenBy(t => t.Table.ToString(), StringComparer.Ordinal).Skip(offset).Take(most).ToList();
        return new TablePage(page, all.Count, all.Sum(t => t.Bytes ?? 0));
    }

    private async Task<IReadOnlyList<TableOverview>> TablesAsync(TableFilter filter, bool hasTotals, CancellationToken ct)
    {
        var totals = hasTotals ? "total_rows, total_bytes" : "NULL AS total_rows, NULL AS total_bytes";
        var rows = await gateway.QueryAsync(
            $"""
             SELECT database, name AS table, engine, {totals} FROM system.tables
             WHERE {NotSystem} AND NOT is_temporary AND NOT match(name, {Sql.Literal(Helper)})
                 {(filter.Views ? "" : "AND engine NOT IN ('View', 'MaterializedView', 'LiveView', 'WindowView')")}
                 {(string.IsNullOrEmpty(filter.Search) ? "" : $"AND positionCaseInsensitiveUTF8(concat(database, '.', name), {Sql.Literal(filter.Search)}) > 0")}
             """,
            ct: ct);
        return rows.Select(r => new TableOverview(new QualifiedName(r["database"], r["table"]), r["engine"])
        {
            Rows = r.IsNull("total_rows") ? null : r.Int64("total_rows"),
            Bytes = r.IsNull("total_bytes") ? null : r.Int64("total_bytes"),
            CanBeRebuilt = new TableEngine(r["engine"], []).IsSupported,
        }).ToList();
    }

    private static TableOverview WithParts(TableOverview table, Row? parts) => parts is null
        ? new TableEngine(table.Engine, []).IsMergeTree ? table with { Rows = 0, Bytes = 0, UncompressedBytes = 0 } : table
        : table with
        {
            Rows = parts.Int64("row_count"),
            Bytes = parts.Int64("bytes"),
            UncompressedBytes = parts.Int64("uncompressed"),
            Parts = parts.Int64("parts"),
            Partitions = parts.Int64("partitions"),
        };

    private async Task<Dictionary<(string, string), long>> CountAsync(string from, CancellationToken ct) =>
        (await gateway.QueryAsync($"SELECT database, table, count() AS n FROM {from} {NotSystem} GROUP BY database, table", ct: ct)).ToDictionary(Key, r => r.Int64("n"));

    private static (string, string) Key(Row row) => (row["database"], row["table"]);
}
