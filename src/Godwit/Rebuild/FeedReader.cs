using Godwit.ClickHouse;

namespace Godwit.Rebuild;

/// <summary>Finds out what writes to a table: goes from it upstream, over views, Distributed tables and buffers, to where rows come from.</summary>
internal static class FeedReader
{
    private const string Queues = "'Kafka', 'RabbitMQ', 'NATS', 'S3Queue', 'AzureQueue', 'FileLog'";

    // A chain of views is short; a circle of them never ends.
    private const int MostHops = 8;

    /// <summary>Reads it.</summary>
    public static async Task<Feed> ReadAsync(ClickHouseGateway gateway, Capabilities capabilities, QualifiedName table, CancellationToken ct)
    {
        var ways = await WaysAsync(gateway, ct);
        Dictionary<QualifiedName, FeedSource> found = [];
        HashSet<QualifiedName> upstream = [];
        Queue<(QualifiedName To, IReadOnlyList<QualifiedName> Through)> open = new([(table, [])]);
        while (open.TryDequeue(out var at))
        {
            foreach (var way in ways.Where(w => w.To == at.To && at.Through.Count < MostHops))
            {
                IReadOnlyList<QualifiedName> through = way.Via is { } view ? [view, .. at.Through] : at.Through;
                if (way.IsSource)
                {
                    found.TryAdd(way.From, new FeedSource(way.From, way.Engine, through) { IsShared = ways.Count(w => w.From == way.From) > 1 });
                }
                else if (way.From != table && upstream.Add(way.From))
                {
                    open.Enqueue((way.From, way.Via is null ? [way.From, .. at.Through] : through));
                }
            }
        }

        return new Feed
        {
            Sources = [.. found.Values.OrderBy(s => s.Table.ToString(), StringComparer.Ordinal)],
            Upstream = [.. upstream.OrderBy(t => t.ToString(), StringComparer.Ordinal)],
            Inserts = capabilities is { HasQueryLog: true, HasQueryKind: true } ? await InsertsAsync(gateway, [table, .. upstream], ct) : null,
        };
    }

    /// <summary>Every way by which rows get from one table of the server into another one.</summary>
    private static async Task<List<Way>> WaysAsync(ClickHouseGateway gateway, CancellationToken ct)
    {
        var known = await Known.ColumnsAsync(gateway, ["tables"], null, ct);
        string Or(string column) => known.Contains($"tables.{column}") ? column : $"'' AS {column}";
        var rows = await gateway.QueryAsync(
            $"""
             SELECT database, name, {Or("uuid")}, engine, engine_full, create_table_query, {Or("as_select")}, view_database, view_name
             FROM system.tables LEFT ARRAY JOIN dependencies_database AS view_database, dependencies_table AS view_name
             WHERE engine IN ('MaterializedView', 'Distributed', 'Buffer', {Queues}) OR view_name != ''
             """,
            ct: ct);
        var views = rows.Where(r => r["engine"] == "MaterializedView")
            .DistinctBy(Name).Select(r => FedView.Read(Name(r), r["uuid"], r["create_table_query"], r["as_select"])).OfType<FedView>().ToDictionary(v => v.Name);
        List<Way> ways = [];
        foreach (var row in rows)
        {
            var (from, engine) = (Name(row), row["engine"]);
            if (engine is "Distributed" or "Buffer" && Behind(row) is { } behind)
            {
                ways.Add(new Way(from, behind, null, engine, IsSource: engine == "Buffer"));
            }

            if (views.GetValueOrDefault(new QualifiedName(row["view_database"], row["view_name"])) is { } view)
            {
                ways.Add(new Way(from, view.Target, view.Name, engine, IsSource: Queues.Contains($"'{engine}'", StringComparison.Ordinal)));
            }
        }

        return ways;
    }

    // Distributed(cluster, database, table, …) and Buffer(database, table, …). A database that is an expression, or empty, is taken for its own.
    private static QualifiedName? Behind(Row row)
    {
        var arguments = TableEngine.ParseFull(row["engine_full"]).Engine.Arguments.Skip(row["engine"] == "Distributed" ? 1 : 0).ToList();
        return arguments is [var database, var table, ..]
            ? new QualifiedName(database.Contains('(', StringComparison.Ordinal) || SqlText.Unquote(database).Length == 0 ? row["database"] : SqlText.Unquote(database), SqlText.Unquote(table))
            : null;
    }

    private static async Task<FeedInserts> InsertsAsync(ClickHouseGateway gateway, IReadOnlyList<QualifiedName> tables, CancellationToken ct)
    {
        // The log writes names as the server quotes them.
        var names = string.Join(", ", tables.SelectMany(t => new[] { $"{t.Database}.{t.Table}", t.ToSql(), $"{Sql.Identifier(t.Database)}.{t.Table}", $"{t.Database}.{Sql.Identifier(t.Table)}" }).Distinct(StringComparer.Ordinal).Select(Sql.Literal));
        var row = (await gateway.QueryAsync(
            $"""
             SELECT count() AS inserts, arrayStringConcat(arraySort(groupUniqArray(5)(user)), ', ') AS users, max(event_time) AS last FROM system.query_log
             WHERE event_date >= yesterday() AND event_time > now() - 86400 AND type = 'QueryFinish' AND query_kind IN ('Insert', 'AsyncInsertFlush')
                 AND hasAny(tables, [{names}]) AND NOT startsWith(query_id, 'godwit-')
             """,
            ct: ct))[0];
        return new FeedInserts(row.Int64("inserts"), row["users"], row.Utc("last"));
    }

    private static QualifiedName Name(Row row) => new(row["database"], row["name"]);

    /// <summary>A way from one table into another one.</summary>
    /// <param name="From">Where rows come from.</param>
    /// <param name="To">Where they arrive.</param>
    /// <param name="Via">The view between; null for a table that passes on.</param>
    /// <param name="Engine">The engine of <paramref name="From"/>.</param>
    /// <param name="IsSource">Whether it writes by itself.</param>
    private sealed record Way(QualifiedName From, QualifiedName To, QualifiedName? Via, string Engine, bool IsSource);
}
