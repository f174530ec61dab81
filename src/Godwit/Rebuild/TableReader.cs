using Godwit.ClickHouse;

namespace Godwit.Rebuild;

/// <summary>Reads tables from the system tables of a server.</summary>
internal static class TableReader
{
    /// <summary>The engine of a table and whether it exists: what can be said of any table, also one that cannot be rebuilt.</summary>
    public static async Task<string?> FindEngineAsync(ClickHouseGateway gateway, QualifiedName name, CancellationToken ct)
    {
        var rows = await gateway.QueryAsync($"SELECT engine FROM system.tables WHERE {Where(name, "name")}", ct: ct);
        return rows.Count == 0 ? null : rows[0]["engine"];
    }

    /// <summary>The UUID behind a name, empty on a server that is too old to have one; null when there is no such table.</summary>
    public static async Task<Guid?> FindUuidAsync(ClickHouseGateway gateway, QualifiedName name, CancellationToken ct)
    {
        try
        {
            var rows = await gateway.QueryAsync($"SELECT uuid FROM system.tables WHERE {Where(name, "name")}", ct: ct);
            return rows.Count == 0 ? null : rows[0].Guid("uuid");
        }
        catch (ClickHouseException e) when (e.Code == ClickHouseErrorCodes.UnknownIdentifier)
        {
            return await FindEngineAsync(gateway, name, ct) is null ? null : Guid.Empty;
        }
    }

    /// <summary>A table of the MergeTree family with its columns and partitions.</summary>
    public static async Task<TableSnapshot> ReadAsync(ClickHouseGateway gateway, QualifiedName name, CancellationToken ct)
    {
        var known = await Known.ColumnsAsync(gateway, ["tables"], null, ct);
        string Or(string column, string otherwise) => known.Contains($"tables.{column}") ? column : $"{otherwise} AS {column}";
        var row = (await gateway.QueryAsync(
            $"""
             SELECT {Or("uuid", $"'{Guid.Empty}'")}, engine, {Or("storage_policy", "''")}, sorting_key, partition_key, create_table_query,
                 (SELECT engine FROM system.databases WHERE name = {Sql.Literal(name.Database)}) AS database_engine
             FROM system.tables WHERE {Where(name, "name")}
             """,
            ct: ct)).Single();
        return new TableSnapshot
        {
            Name = name,
            Uuid = row.Guid("uuid"),
            EngineName = row["engine"],
            DatabaseEngine = row["database_engine"],
            StoragePolicy = row["storage_policy"],

            // Old servers write a tuple with its brackets.
            SortingKey = known.Contains("tables.uuid") ? row["sorting_key"] : SqlText.WithoutBrackets(row["sorting_key"]),
            PartitionKey = known.Contains("tables.uuid") ? row["partition_key"] : SqlText.WithoutBrackets(row["partition_key"]),
            Definition = TableDefinition.Parse(row["create_table_query"]),
            Columns = await ReadColumnsAsync(gateway, Where(name, "table"), null, ct),
            Partitions = await ReadPartitionsAsync(gateway, name, ct),
        };
    }

    /// <summary>The columns of a table, by a condition on system.columns.</summary>
    public static async Task<IReadOnlyList<TableColumn>> ReadColumnsAsync(
        ClickHouseGateway gateway, string condition, QueryOptions? options, CancellationToken ct)
    {
        // Servers without the column tell them in their order.
        var order = (await Known.ColumnsAsync(gateway, ["columns"], options, ct)).Contains("columns.position") ? "ORDER BY position" : "";
        var rows = await gateway.QueryAsync(
            $"SELECT name, type, default_kind, default_expression FROM system.columns WHERE {condition} {order}", options, ct);
        return rows.Select(r => new TableColumn(r["name"], r["type"], r["default_kind"], r["default_expression"])).ToList();
    }

    /// <summary>The partitions of a table, the oldest id first.</summary>
    public static async Task<IReadOnlyList<TablePartition>> ReadPartitionsAsync(
        ClickHouseGateway gateway, QualifiedName name, CancellationToken ct)
    {
        var rows = await gateway.QueryAsync(
            $"""
             SELECT partition_id, any(partition) AS value, sum(rows) AS row_count, sum(bytes_on_disk) AS bytes,
                 sum(data_uncompressed_bytes) AS uncompressed, count() AS parts
             FROM system.parts WHERE {Where(name, "table")} AND active GROUP BY partition_id ORDER BY partition_id
             """,
            ct: ct);
        return rows.Select(r => new TablePartition(
            r["partition_id"], r["value"], r.Int64("row_count"), r.Int64("bytes"), r.Int64("uncompressed"), (int)r.Int64("parts"))).ToList();
    }

    /// <summary>The condition that finds a table in a system table.</summary>
    public static string Where(QualifiedName name, string tableColumn) =>
        $"database = {Sql.Literal(name.Database)} AND {tableColumn} = {Sql.Literal(name.Table)}";
}
