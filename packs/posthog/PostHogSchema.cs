using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>A table as the server has it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Engine">Its engine.</param>
/// <param name="EngineFull">The engine with its arguments and clauses.</param>
/// <param name="Ddl">Its definition.</param>
internal sealed record PostHogTable(QualifiedName Name, string Engine, string EngineFull, string Ddl)
{
    /// <summary>Whether it holds rows of its own.</summary>
    public bool HasRows => Engine.EndsWith("MergeTree", StringComparison.Ordinal);

    /// <summary>Whether a keeper keeps its replicas alike.</summary>
    public bool IsReplicated => Engine.StartsWith("Replicated", StringComparison.Ordinal);

    /// <summary>Whether merges leave one row of those with the same key.</summary>
    public bool IsReplacing => Engine.Contains("Replacing", StringComparison.Ordinal);

    /// <summary>On which nodes it must be changed, so that it is changed everywhere: a table is on every node of the cluster when it is sharded.</summary>
    public NodeScope Scope => IsReplicated ? NodeScope.EachShard : Name.Table.StartsWith("sharded_", StringComparison.Ordinal) ? NodeScope.EveryNode : NodeScope.One;
}

/// <summary>PostHog's tables as they are on this server: what they are called and how they are made is read and never assumed.</summary>
internal sealed class PostHogSchema
{
    /// <summary>The columns by which the table of events is known, whatever the database is called.</summary>
    private static readonly string[] EventColumns = ["uuid", "event", "properties", "timestamp", "team_id", "distinct_id", "elements_chain"];

    private readonly Dictionary<string, PostHogTable> _tables;

    private PostHogSchema(string database, Dictionary<string, PostHogTable> tables) => (Database, _tables) = (database, tables);

    /// <summary>The database of all of them.</summary>
    public string Database { get; }

    /// <summary>The table that holds the rows of events: <c>sharded_events</c>, or else <c>events</c> when it is not Distributed.</summary>
    public PostHogTable? Events => RowsOf("events");

    /// <summary>Reads them.</summary>
    /// <param name="context">The instance; its parameter <c>database</c> says which one, when it is not empty.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>Null when there are none.</returns>
    /// <exception cref="InvalidOperationException">More than one database has them.</exception>
    public static async Task<PostHogSchema?> FindAsync(MigrationContext context, CancellationToken ct)
    {
        var named = context.Parameters.Get<string>(PostHogMigration.DatabaseParameter);
        var databases = await context.ClickHouse.QueryAsync(
            $"""
             SELECT database FROM system.columns WHERE table = 'events' AND name IN ({string.Join(", ", EventColumns.Select(Sql.Literal))})
                 {(named.Length > 0 ? $"AND database = {Sql.Literal(named)}" : "")}
             GROUP BY database HAVING count() = {EventColumns.Length} ORDER BY database
             """,
            ct: ct);
        return databases switch
        {
            [] => null,
            [var only] => await ReadAsync(context.ClickHouse, only["database"], ct),
            _ => throw new InvalidOperationException(
                $"{string.Join(" and ", databases.Select(d => d["database"]))} have tables of PostHog: say which is meant with --set {PostHogMigration.DatabaseParameter}=NAME."),
        };
    }

    /// <summary>The full name of a table.</summary>
    public QualifiedName Name(string table) => new(Database, table);

    /// <summary>A table; null when there is none.</summary>
    public PostHogTable? Find(string table) => _tables.GetValueOrDefault(table);

    /// <summary>The table behind a name that holds the rows, on this node; null when there is none.</summary>
    public PostHogTable? RowsOf(string table) => new[] { Find($"sharded_{table}"), Find(table) }.FirstOrDefault(t => t is { HasRows: true });

    /// <summary>The ids of a table's partitions that have rows, the oldest first.</summary>
    public static async Task<IReadOnlyList<string>> PartitionsAsync(ClickHouseGateway gateway, QualifiedName table, CancellationToken ct) =>
        (await gateway.QueryAsync(
            $"SELECT DISTINCT partition_id FROM system.parts WHERE database = {Sql.Literal(table.Database)} AND table = {Sql.Literal(table.Table)} AND active AND rows > 0 ORDER BY partition_id",
            ct: ct)).Select(r => r["partition_id"]).ToList();

    private static async Task<PostHogSchema> ReadAsync(ClickHouseGateway gateway, string database, CancellationToken ct)
    {
        var rows = await gateway.QueryAsync($"SELECT name, engine, engine_full, create_table_query FROM system.tables WHERE database = {Sql.Literal(database)}", ct: ct);
        return new PostHogSchema(
            database,
            rows.ToDictionary(r => r["name"], r => new PostHogTable(new QualifiedName(database, r["name"]), r["engine"], r["engine_full"], r["create_table_query"]), StringComparer.Ordinal));
    }
}
