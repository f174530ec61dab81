using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>Writers that hold a table without being a statement: the barrier after the exchange cannot see them.</summary>
internal sealed class FeedCheck : IRebuildCheck
{
    public string Name => "feed";

    public async Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        var name = draft.Source.Name;
        var candidates = await draft.Gateway.QueryAsync(
            $"""
             SELECT database, name, engine, engine_full FROM system.tables
             WHERE (engine = 'Buffer' AND position(engine_full, {Sql.Literal(name.Table)}) > 0)
                 OR (engine IN ('Kafka', 'RabbitMQ', 'NATS', 'S3Queue', 'AzureQueue', 'FileLog') AND arrayExists(
                     (d, t) -> (d, t) IN (SELECT database, name FROM system.tables WHERE engine = 'MaterializedView'
                         AND (position(create_table_query, {Sql.Literal($"TO {name.Database}.{name.Table}")}) > 0
                             OR position(create_table_query, {Sql.Literal($"TO {name.ToSql()}")}) > 0)),
                     dependencies_database, dependencies_table))
             """,
            ct: ct);
        var feeders = candidates.Where(c => c["engine"] != "Buffer" || IsBufferOf(name, c)).ToList();
        if (draft.Way == RebuildWay.Alter || feeders.Count == 0)
        {
            return this.Ok("Nothing writes to the table in the background (Buffer, Kafka and the like).");
        }

        var feeder = $"{feeders[0]["database"]}.{feeders[0]["name"]} ({feeders[0]["engine"]})";
        return draft.Request.Strategy == "static"
            ? this.Warn($"{feeder} writes to {name} in the background: it must be held during the run (DETACH it), or the run will refuse to exchange the names.")
            : this.Refuse(
                $"{feeder} writes to {name} in the background, where the end of a write cannot be awaited. "
                + "DETACH it and use --strategy static.");
    }

    // A database that is an expression, or empty, may be any.
    private static bool IsBufferOf(QualifiedName table, Row buffer) =>
        TableEngine.Parse(buffer["engine_full"]).Arguments is not [var database, var name, ..]
            || (SqlText.Unquote(name) == table.Table && (database.Contains('(', StringComparison.Ordinal) || SqlText.Unquote(database) is "" || SqlText.Unquote(database) == table.Database));
}
