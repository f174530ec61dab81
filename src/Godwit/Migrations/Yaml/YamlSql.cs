using Godwit.ClickHouse;
using Godwit.Operations;

namespace Godwit.Migrations.Yaml;

/// <summary>Reads operations that are SQL of their author's.</summary>
internal static class YamlSql
{
    /// <summary>SQL on ClickHouse.</summary>
    public static OperationMaker ClickHouse(YamlMap map)
    {
        var (forward, undo) = (Statements(map, "sql", "settings", "timeout", "repeatable"), Statements(map, "undo", "undoSettings", "undoTimeout", "undoRepeatable"));
        var (hasUndo, irreversible) = (map.Has("undo"), map.Flag("irreversible") ?? false);
        var scope = map.Word<NodeScope>("scope") ?? NodeScope.One;
        return fill => new SqlOperation { Forward = Fill(forward, fill), Undo = hasUndo ? Fill(undo, fill) : null, Scope = scope, Irreversible = irreversible };
    }

    /// <summary>SQL on PostgreSQL.</summary>
    public static OperationMaker PostgreSql(YamlMap map)
    {
        var (forward, undo) = (PostgreSql(map, "postgresql", "timeout", "transaction"), PostgreSql(map, "undo", "undoTimeout", "undoTransaction"));
        var (hasUndo, irreversible) = (map.Has("undo"), map.Flag("irreversible") ?? false);
        return fill => new PostgreSqlOperation { Forward = Fill(forward, fill), Undo = hasUndo ? Fill(undo, fill) : null, Irreversible = irreversible };
    }

    private static SqlStatements Statements(YamlMap map, string key, string settings, string timeout, string repeatable) => new(map.Texts(key))
    {
        Settings = map.TextMap(settings),
        Timeout = map.Time(timeout),
        Repeatable = map.Flag(repeatable),
    };

    private static SqlStatements Fill(SqlStatements sql, TemplateFiller fill) => sql with { Statements = sql.Statements.Select(s => fill(s)).ToList() };

    private static PostgreSqlStatements PostgreSql(YamlMap map, string key, string timeout, string transaction) => new(map.Texts(key))
    {
        Timeout = map.Time(timeout),
        InTransaction = map.Flag(transaction) ?? true,
    };

    private static PostgreSqlStatements Fill(PostgreSqlStatements sql, TemplateFiller fill) =>
        sql with { Statements = sql.Statements.Select(s => fill(s, TemplateKind.PostgreSql)).ToList() };
}
