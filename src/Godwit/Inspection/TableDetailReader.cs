using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Inspection;

/// <summary>Reads everything that is shown of one table. Columns of system tables that a server does not have are left out of the question.</summary>
internal sealed class TableDetailReader(ClickHouseGateway gateway, QualifiedName table)
{
    private const int MostMutations = 100;
    private HashSet<string> _known = [];

    private string OfTable => TableReader.Where(table, "table");

    /// <summary>Null when there is no such table.</summary>
    public async Task<TableDetail?> ReadAsync(CancellationToken ct)
    {
        _known = await Known.ColumnsAsync(gateway, ["tables", "columns", "merges", "mutations"], null, ct);
        var rows = await gateway.QueryAsync(
            $"SELECT engine, create_table_query, sorting_key, primary_key, partition_key, sampling_key FROM system.tables WHERE {TableReader.Where(table, "name")}", ct: ct);
        if (rows is not [var row])
        {
            return null;
        }

        var definition = Definition(row["create_table_query"]);
        return new TableDetail(table, row["engine"], row["create_table_query"])
        {
            CanBeRebuilt = new TableEngine(row["engine"], []).IsSupported,
            Keys = new TableKeys(row["sorting_key"], row["primary_key"], row["partition_key"], row["sampling_key"]),
            Ttl = definition?.Ttl,
            Settings = definition?.Settings ?? new Dictionary<string, string>(StringComparer.Ordinal),
            Columns = await ColumnsAsync(ct),
            Partitions = await PartitionsAsync(ct),
            Mutations = _known.Contains("mutations.is_done") ? await MutationsAsync(ct) : [],
            Merges = await MergesAsync(ct),
            ViewsFrom = await ViewsFromAsync(ct),
            ViewsInto = await ViewsIntoAsync(ct),
        };
    }

    // Views and tables of functions have a definition of another form.
    private static TableDefinition? Definition(string create)
    {
        try
        {
            return TableDefinition.Parse(create);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private async Task<IReadOnlyList<ColumnDetail>> ColumnsAsync(CancellationToken ct)
    {
        var rows = await gateway.QueryAsync(
            $"""
             SELECT name, type, default_kind, default_expression, comment, data_compressed_bytes, data_uncompressed_bytes,
                 is_in_sorting_key, is_in_primary_key, is_in_partition_key, {Or("columns", "compression_codec", "''")} AS codec
             FROM system.columns WHERE {OfTable} {(_known.Contains("columns.position") ? "ORDER BY position" : "")}
             """,
            ct: ct);
        return rows.Select(r => new ColumnDetail(r["name"], r["type"])
        {
            Codec = r["codec"],
            DefaultKind = r["default_kind"],
            DefaultExpression = r["default_expression"],
            Comment = r["comment"],
            CompressedBytes = r.Int64("data_compressed_bytes"),
            UncompressedBytes = r.Int64("data_uncompressed_bytes"),
            InSortingKey = r.Bool("is_in_sorting_key"),
            InPrimaryKey = r.Bool("is_in_primary_key"),
            InPartitionKey = r.Bool("is_in_partition_key"),
        }).ToList();
    }

    // Parts whose key has no time say the moment 0; a Date in the key is the beginning of its day.
    private async Task<IReadOnlyList<PartitionDetail>> PartitionsAsync(CancellationToken ct)
    {
        var rows = await gateway.QueryAsync(
            $"""
             SELECT partition_id, any(partition) AS value, sum(rows) AS row_count, sum(bytes_on_disk) AS bytes, sum(data_uncompressed_bytes) AS uncompressed, count() AS parts,
                 toInt64(toUnixTimestamp(min(min_time))) AS first_time, toInt64(toUnixTimestamp(max(max_time))) AS last_time,
                 toString(min(min_date)) AS first_date, toString(max(max_date)) AS last_date, toInt64(toUnixTimestamp(max(modification_time))) AS changed
             FROM system.parts WHERE {OfTable} AND active GROUP BY partition_id ORDER BY partition_id
             """,
            ct: ct);
        return rows.Select(r => new PartitionDetail(r["partition_id"], r["value"], r.Int64("row_count"), r.Int64("bytes"), r.Int64("uncompressed"), r.Int64("parts"))
        {
            From = Moment(r, "first_time", "first_date"),
            To = Moment(r, "last_time", "last_date"),
            Changed = r.Utc("changed"),
        }).ToList();
    }

    private static DateTimeOffset? Moment(Row row, string time, string date) =>
        row.Int64(time) != 0 ? row.Utc(time)
        : DateTimeOffset.TryParseExact(row[date], "yyyy-MM-dd", null, System.Globalization.DateTimeStyles.AssumeUniversal, out var day) && day > DateTimeOffset.UnixEpoch ? day
        : null;

    private async Task<IReadOnlyList<MutationDetail>> MutationsAsync(CancellationToken ct)
    {
        var rows = await gateway.QueryAsync(
            $"""
             SELECT mutation_id, command, toInt64(toUnixTimestamp(create_time)) AS created, parts_to_do, is_done, {Or("mutations", "latest_fail_reason", "''")} AS reason
             FROM system.mutations WHERE {OfTable} ORDER BY is_done, create_time DESC, mutation_id LIMIT {MostMutations}
             """,
            ct: ct);
        return rows.Select(r => new MutationDetail(
            r["mutation_id"], r["command"], r.Utc("created"), r.Int64("parts_to_do"), r.Bool("is_done"), r["reason"].Length > 0 ? r["reason"] : null)).ToList();
    }

    private async Task<IReadOnlyList<MergeDetail>> MergesAsync(CancellationToken ct)
    {
        var rows = await gateway.QueryAsync(
            $"""
             SELECT partition_id, result_part_name, num_parts, total_size_bytes_compressed, progress, elapsed, {Or("merges", "is_mutation", "0")} AS mutation
             FROM system.merges WHERE {OfTable} ORDER BY elapsed DESC
             """,
            ct: ct);
        return rows.Select(r => new MergeDetail(
            r["partition_id"], r["result_part_name"], r.Int64("num_parts"), r.Int64("total_size_bytes_compressed"), r.Double("progress"), r.Double("elapsed"), r.Bool("mutation"))).ToList();
    }

    private async Task<IReadOnlyList<ViewLink>> ViewsFromAsync(CancellationToken ct)
    {
        var names = await gateway.QueryAsync(
            $"SELECT d AS view_database, v AS view_name FROM system.tables ARRAY JOIN dependencies_database AS d, dependencies_table AS v WHERE {TableReader.Where(table, "name")} ORDER BY d, v", ct: ct);
        if (names.Count == 0)
        {
            return [];
        }

        return await ViewsAsync($"({string.Join(" OR ", names.Select(n => TableReader.Where(new QualifiedName(n["view_database"], n["view_name"]), "name")))})", ct);
    }

    private async Task<IReadOnlyList<ViewLink>> ViewsIntoAsync(CancellationToken ct) => (await ViewsAsync("1", ct)).Where(v => v.Target == table).ToList();

    private async Task<IReadOnlyList<ViewLink>> ViewsAsync(string condition, CancellationToken ct)
    {
        var rows = await gateway.QueryAsync(
            $"""
             SELECT database, name, create_table_query, {Or("tables", "as_select", "''")} AS body, toString({Or("tables", "uuid", "''")}) AS id
             FROM system.tables WHERE engine = 'MaterializedView' AND {condition} ORDER BY database, name
             """,
            ct: ct);
        return rows.Select(r => Link(new QualifiedName(r["database"], r["name"]), r["create_table_query"], r["body"], r["id"])).ToList();
    }

    private static ViewLink Link(QualifiedName view, string create, string select, string uuid)
    {
        var target = FedView.Read(view, uuid, create, select)?.Target;

        // Without UUIDs the hidden table is named after the view.
        return new ViewLink(view, uuid.Length == 0 && target?.Table == ".inner_id." ? view with { Table = $".inner.{view.Table}" } : target, create);
    }

    private string Or(string systemTable, string column, string without) => _known.Contains($"{systemTable}.{column}") ? column : without;
}
