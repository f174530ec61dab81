using System.Text.RegularExpressions;
using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>A table as the server has it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Engine">Its engine.</param>
/// <param name="EngineFull">The engine with its arguments and clauses.</param>
/// <param name="Ddl">Its definition.</param>
internal sealed partial record PostHogTable(QualifiedName Name, string Engine, string EngineFull, string Ddl)
{
    /// <summary>The engine with its arguments alone.</summary>
    public string EngineOnly => EngineForm().Match(EngineFull).Value;

    /// <summary>Whether each shard has rows of its own.</summary>
    public bool IsSharded => Name.Table.StartsWith("sharded_", StringComparison.Ordinal);

    /// <summary>Whether it holds rows of its own.</summary>
    public bool HasRows => Engine.EndsWith("MergeTree", StringComparison.Ordinal);

    /// <summary>Whether a keeper keeps its replicas alike.</summary>
    public bool IsReplicated => Engine.StartsWith("Replicated", StringComparison.Ordinal);

    /// <summary>Whether merges leave one row of those with the same key.</summary>
    public bool IsReplacing => Engine.Contains("Replacing", StringComparison.Ordinal);

    /// <summary>On which nodes it must be changed, so that it is changed everywhere: a table is on every node of the cluster when it is sharded.</summary>
    public NodeScope Scope => IsReplicated ? NodeScope.EachShard : IsSharded ? NodeScope.EveryNode : NodeScope.One;

    /// <summary>The engine and clauses of a table that takes the parts of this one and does nothing with them.</summary>
    public string PlainEngine => $"MergeTree{EngineFull[EngineOnly.Length..]}";

    /// <summary>The storage policy as a setting behind others; empty for the default. Parts can be linked on the same disks only.</summary>
    public string StoragePolicySetting => PolicyForm().Match(EngineFull) is { Success: true } policy ? $", {policy.Value}" : "";

    /// <summary>The engine and clauses of a replicated twin, of this engine or of the replicated form of it.</summary>
    /// <param name="path">Where the keeper has it.</param>
    /// <param name="own">Its arguments, such as the column that tells which row is the newest; those of this engine when null.</param>
    public string EngineAt(string path, string? own = null)
    {
        var arguments = EngineOnly.Contains('(', StringComparison.Ordinal) ? EngineOnly[(EngineOnly.IndexOf('(', StringComparison.Ordinal) + 1)..^1] : "";
        own ??= IsReplicated ? PlaceForm().Replace(arguments, "") : arguments;
        return $"Replicated{Engine.Replace("Replicated", "", StringComparison.Ordinal)}({Sql.Literal(path)}, '{{replica}}'{(own.Length > 0 ? $", {own}" : "")}){EngineFull[EngineOnly.Length..]}";
    }

    /// <summary>A path in the keeper that no table has had: what an earlier attempt has left there is in nobody's way.</summary>
    public static string NewPath(QualifiedName table) => $"/clickhouse/tables/{{shard}}/{table.Database}.{table.Table}_{Guid.NewGuid():N}";

    // Quoted arguments may hold brackets; those of a Replicated engine do.
    [GeneratedRegex(@"^\w+(\((?:[^()']|'(?:[^'\\]|\\.)*'|\([^()]*\))*\))?")]
    private static partial Regex EngineForm();

    [GeneratedRegex("storage_policy = '[^']*'")]
    private static partial Regex PolicyForm();

    [GeneratedRegex(@"^'(?:[^'\\]|\\.)*',\s*'(?:[^'\\]|\\.)*'(,\s*)?")]
    private static partial Regex PlaceForm();
}

/// <summary>PostHog's tables as they are on this server: what they are called and how they are made is read and never assumed.</summary>
internal sealed partial class PostHogSchema
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
            [] when named.Length > 0 => throw new InvalidOperationException(
                $"{named} has no table events with PostHog's columns: name its database with --set {PostHogMigration.DatabaseParameter}=NAME, or leave that out to have it found."),
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

    /// <summary>The materialized views that write to a table.</summary>
    public IReadOnlyList<PostHogTable> ViewsTo(QualifiedName table) =>
        _tables.Values.Where(t => t.Engine == "MaterializedView" && TargetOf(table).IsMatch(t.Ddl)).OrderBy(t => t.Name.Table, StringComparer.Ordinal).ToList();

    /// <summary>What says in the definition of a view that it writes to a table.</summary>
    public static Regex TargetOf(QualifiedName table) => new($@" TO `?{Regex.Escape(table.Database)}`?\.`?{Regex.Escape(table.Table)}`?(?=[\s(])", RegexOptions.CultureInvariant);

    /// <summary>What to select the parts of a table from, so that those of all shards are seen: only the Distributed table over it knows its cluster.</summary>
    public string PartsOf(PostHogTable table) =>
        table.IsSharded && Find(table.Name.Table["sharded_".Length..]) is { Engine: "Distributed" } all && ClusterForm().Match(all.EngineFull) is { Success: true } cluster
            ? $"cluster({cluster.Groups[1].Value}, system, parts)"
            : "system.parts";

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

    [GeneratedRegex(@"^Distributed\(('(?:[^'\\]|\\.)*'|\w+)")]
    private static partial Regex ClusterForm();
}
