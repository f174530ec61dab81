using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>What becomes of one table in <see cref="ReplicatedSchema"/>.</summary>
internal sealed class ReplicatedTable
{
    /// <summary>The tables that become replicated, those with the most rows first.</summary>
    public static readonly string[] Names =
    [
        "events", "session_recording_events", "events_dead_letter_queue", "groups", "person", "person_distinct_id2", "plugin_log_entries", "cohortpeople", "person_static_cohort",
    ];

    private static readonly string[] Sharded = ["events", "session_recording_events"];

    private readonly PostHogSchema _schema;
    private readonly PostHogTable _table;
    private readonly string _cluster;
    private readonly string _path;
    private readonly string _columns;

    private ReplicatedTable(PostHogSchema schema, PostHogTable table, string cluster, string path, string columns) =>
        (_schema, _table, _cluster, _path, _columns) = (schema, table, cluster, path, columns);

    /// <summary>The views that write to it.</summary>
    public IReadOnlyList<PostHogTable> Views => _schema.ViewsTo(_table.Name);

    /// <summary>Makes the twin, empty as yet.</summary>
    public Operation CreateTwin => new CreateOperation($"CREATE TABLE {TwinName.ToSql()} AS {_table.Name.ToSql()} ENGINE = {_table.EngineAt(_path)}");

    /// <summary>Gives it the rows.</summary>
    public Operation Link => new LinkOperation(_table.Name, TwinName);

    /// <summary>Both, to be compared.</summary>
    public TwinPair Pair => new(_table.Name, TwinName);

    /// <summary>Both, by the names that they have when these have changed hands.</summary>
    public TwinPair PairAfter => new(_schema.Name(Backup(Table)), NewName);

    /// <inheritdoc cref="Pair"/>
    public IEnumerable<QualifiedName> Both => [Pair.Table, Pair.Twin];

    /// <inheritdoc cref="PairAfter"/>
    public IEnumerable<QualifiedName> BothAfter => [PairAfter.Table, PairAfter.Twin];

    /// <summary>Puts it in the place of the table, which is kept.</summary>
    public IEnumerable<Renaming> Renamings => [new(Pair.Table, PairAfter.Table), new(Pair.Twin, PairAfter.Twin)];

    /// <summary>Makes the tables over a sharded one: one to read from, and one to write to, which knows nothing of columns that are computed.</summary>
    public IEnumerable<Operation> CreateOver
    {
        get
        {
            if (!IsSharded)
            {
                return [];
            }

            var shards = $"Distributed({Sql.Literal(_cluster)}, {Sql.Literal(_schema.Database)}, {Sql.Literal($"sharded_{Table}")}, sipHash64(distinct_id))";
            return
            [
                new CreateOperation($"CREATE TABLE {Writable.ToSql()} ({_columns}) ENGINE = {shards}"),
                new CreateOperation($"CREATE TABLE {_table.Name.ToSql()} AS {_schema.Name($"sharded_{Table}").ToSql()} ENGINE = {shards}"),
            ];
        }
    }

    /// <summary>Makes the views again, to where rows are written now.</summary>
    public IEnumerable<Operation> CreateViews => Views.Select(v => new CreateOperation(ToWritable(v.Ddl)) { Description = $"Create view {v.Name}" });

    private string Table => _table.Name.Table;

    private bool IsSharded => Sharded.Contains(Table, StringComparer.Ordinal);

    private QualifiedName TwinName => _schema.Name(Twin(Table));

    private QualifiedName NewName => IsSharded ? _schema.Name($"sharded_{Table}") : _table.Name;

    private QualifiedName Writable => _schema.Name($"writable_{Table}");

    /// <summary>Reads what is needed of a table.</summary>
    public static async Task<ReplicatedTable> ReadAsync(PostHogSchema schema, PostHogTable table, string cluster, MigrationContext context, CancellationToken ct)
    {
        var columns = await context.ClickHouse.QueryAsync(
            $"SELECT name, type FROM system.columns WHERE database = {Sql.Literal(schema.Database)} AND table = {Sql.Literal(table.Name.Table)} AND default_kind NOT IN ('MATERIALIZED', 'ALIAS')", ct: ct);
        return new ReplicatedTable(
            schema, table, cluster, PostHogTable.NewPath(table.Name), string.Join(", ", columns.Select(c => $"{Sql.Identifier(c["name"])} {c["type"]}")));
    }

    /// <summary>The name of the twin until it takes the place of the table.</summary>
    public static string Twin(string table) => $"{table}_tmp_{ReplicatedSchema.Key}";

    /// <summary>The name under which the table is kept.</summary>
    public static string Backup(string table) => $"{table}_backup_{ReplicatedSchema.Key}";

    private string ToWritable(string ddl) => IsSharded ? PostHogSchema.TargetOf(_table.Name).Replace(ddl, $" TO {Writable.ToSql()}", 1) : ddl;
}
