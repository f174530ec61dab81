using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Inspection;

/// <summary>Reads the queries on a table from system.query_log.</summary>
internal sealed class WorkloadReader(ClickHouseGateway gateway)
{
    private const int MostShapes = 50;
    private const int LongestText = 2000;
    private static readonly string[] Needed = ["tables", "columns", "normalized_query_hash", "query_kind", "current_database", "used_table_functions"];

    public async Task<Workload> ReadAsync(QualifiedName table, int days, CancellationToken ct)
    {
        var workload = new Workload(table, days);
        try
        {
            return await UnavailableAsync(table, ct) is { } why
                ? workload with { Unavailable = why }
                : workload with { Queries = await ShapesAsync(table, days, ct) };
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            return workload with { Unavailable = $"{gateway.Name} does not show its system.query_log: {e.ServerMessage}" };
        }
    }

    private async Task<string?> UnavailableAsync(QualifiedName table, CancellationToken ct)
    {
        if (await TableReader.FindEngineAsync(gateway, table, ct) is null)
        {
            return $"There is no table {table} on {gateway.Name}. Check the name (and its quoting: \"my.db\".\"my.table\") and the user's rights.";
        }

        // The newest queries are still in memory; without the right to write them out they are missing, and nothing else is.
        await QueryLog.IsOnAsync(gateway, ct);
        var columns = await Known.ColumnsAsync(gateway, ["query_log"], null, ct);
        if (columns.Count == 0)
        {
            return $"{gateway.Name} has no system.query_log: nothing is known of its queries. Add <query_log> to its configuration, let the usual queries run for some days, and look again.";
        }

        return Array.Exists(Needed, c => !columns.Contains($"query_log.{c}"))
            ? $"The system.query_log of {gateway.Name} does not keep which tables and columns a query reads: its version is too old for that."
            : null;
    }

    private async Task<IReadOnlyList<QueryShape>> ShapesAsync(QualifiedName table, int days, CancellationToken ct)
    {
        var columns = (await TableReader.ReadColumnsAsync(gateway, TableReader.Where(table, "table"), null, ct)).Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        var known = await Known.ColumnsAsync(gateway, ["query_log"], null, ct);
        var canFormat = await gateway.ScalarAsync<long>("SELECT count() FROM system.functions WHERE name = 'formatQueryOrNull'", ct: ct) > 0;
        var udfs = known.Contains("query_log.used_executable_user_defined_functions") ? "max(notEmpty(used_executable_user_defined_functions))" : "0";
        var rows = await gateway.QueryAsync(
            $"""
             SELECT *, {(canFormat ? "formatQueryOrNull(example)" : "NULL")} AS formatted FROM (
                 SELECT toString(normalized_query_hash) AS id, argMax(query, event_time) AS example, argMax(current_database, event_time) AS home, count() AS n, toInt64(toUnixTimestamp(max(event_time))) AS at,
                     sum(read_rows) AS total_rows, toInt64(median(read_rows)) AS median_rows, sum(read_bytes) AS total_bytes, toInt64(median(read_bytes)) AS median_bytes,
                     sum(query_duration_ms) AS total_ms, toInt64(median(query_duration_ms)) AS median_ms, arrayStringConcat(arrayMap(c -> base64Encode(c), arraySort(groupUniqArrayArray(columns))), ' ') AS used,
                     max(notEmpty(used_table_functions)) AS has_functions, {udfs} AS has_udfs
                 FROM system.query_log
                 WHERE event_date >= today() - {Sql.Literal(days)} AND event_time >= now() - INTERVAL {Sql.Literal(days)} DAY AND type = 'QueryFinish' AND query_kind = 'Select'
                     AND NOT startsWith(query_id, 'godwit-') AND hasAny(tables, [{string.Join(", ", Spellings(table).Select(Sql.Literal))}])
                 GROUP BY normalized_query_hash ORDER BY total_rows DESC, n DESC LIMIT {MostShapes})
             ORDER BY total_rows DESC, n DESC
             """,
            new QueryOptions { QueryId = OwnQueryId() },
            ct);
        return rows.Select(r => Shape(r, table, columns)).ToList();
    }

    /// <summary>An id by which Godwit's own looks are left out of what it finds.</summary>
    public static string OwnQueryId() => $"godwit-look-{Guid.NewGuid():N}";

    private static QueryShape Shape(Row row, QualifiedName table, HashSet<string> columns)
    {
        var text = row["example"];
        var obstacle = row.Bool("has_functions") ? "it reads a table function, which could reach out of the server"
            : row.Bool("has_udfs") ? "it calls a program by a function of its own"
            : null;
        return new QueryShape(row["id"], text.Length > LongestText ? string.Concat(text.AsSpan(0, LongestText), "…") : text)
        {
            Count = row.Int64("n"),
            LastAt = row.Utc("at"),
            ReadRows = new LogFigure(row.Int64("total_rows"), row.Int64("median_rows")),
            ReadBytes = new LogFigure(row.Int64("total_bytes"), row.Int64("median_bytes")),
            DurationMs = new LogFigure(row.Int64("total_ms"), row.Int64("median_ms")),
            Columns = Used(row["used"], table),
            Conditions = ConditionReader.Read(row.Text("formatted") ?? text, columns),
            Logged = new LoggedQuery(row.Text("formatted"), row["home"], obstacle),
        };
    }

    private static List<string> Used(string used, QualifiedName table)
    {
        List<string> names = [];
        foreach (var column in used.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(c => System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(c))))
        {
            if (Spellings(table).FirstOrDefault(s => column.StartsWith(s + ".", StringComparison.Ordinal)) is { } spelling)
            {
                names.Add(SqlNames.Unquote(column[(spelling.Length + 1)..]));
            }
        }

        return names.Distinct(StringComparer.Ordinal).ToList();
    }

    // The log writes names in backticks when they need them, by rules that grow with the server's words.
    private static IEnumerable<string> Spellings(QualifiedName table) =>
        from database in new[] { table.Database, Sql.Identifier(table.Database) }
        from name in new[] { table.Table, Sql.Identifier(table.Table) }
        select $"{database}.{name}";
}
