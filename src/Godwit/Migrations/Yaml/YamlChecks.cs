using System.Globalization;
using Godwit.Checks;
using Godwit.ClickHouse;

namespace Godwit.Migrations.Yaml;

/// <summary>The questions of a YAML migration: SQL whose first value says yes (not 0) or no (0, NULL or no row).</summary>
internal static class YamlChecks
{
    // It is asked, never obeyed.
    private static readonly QueryOptions ReadOnly = new() { Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["readonly"] = "2" } };

    /// <summary>One of the list <c>checks</c>.</summary>
    public static MigrationCheck? Check(YamlMap map, IReadOnlyCollection<string> parameters)
    {
        var name = map.RequiredText("name");
        if (map.Text("scope") is null)
        {
            map.File.Problem(map.Line, "scope is missing: say precheck, healthcheck, gate or postcheck.");
        }

        var scope = map.Word<CheckScope>("scope");
        var sql = Sql(map, "sql", parameters);
        var otherwise = map.RequiredText("otherwise");
        map.End();
        return scope is null ? null : new MigrationCheck(name, scope.Value, async (context, ct) =>
        {
            var (yes, row) = await AskAsync(context, sql, ct);
            return yes ? CheckAnswer.Ok() : CheckAnswer.Refuse(SqlTemplate.FillMessage(otherwise, Find(context, row)));
        });
    }

    /// <summary>The mapping <c>required</c>.</summary>
    public static Func<MigrationContext, CancellationToken, Task<Requirement>> Requirement(YamlMap map, IReadOnlyCollection<string> parameters)
    {
        var sql = Sql(map, "sql", parameters);
        var (because, otherwise) = (map.RequiredText("because"), map.RequiredText("otherwise"));
        map.End();
        return async (context, ct) =>
        {
            var (yes, row) = await AskAsync(context, sql, ct);
            return new Requirement(yes, SqlTemplate.FillMessage(yes ? because : otherwise, Find(context, row)));
        };
    }

    /// <summary>The text <c>progress</c>: SQL whose first value is between 0 and 100.</summary>
    public static Func<MigrationContext, CancellationToken, Task<double?>> Progress(YamlMap root, string sql, IReadOnlyCollection<string> parameters)
    {
        Tell(root, "progress", sql, parameters);
        return async (context, ct) =>
        {
            var (_, row) = await AskAsync(context, sql, ct);
            return row is null || !double.TryParse(row.Text(row.Columns[0]), NumberStyles.Float, CultureInfo.InvariantCulture, out var percent) ? null : Math.Clamp(percent, 0, 100);
        };
    }

    private static string Sql(YamlMap map, string key, IReadOnlyCollection<string> parameters)
    {
        var sql = map.RequiredText(key);
        Tell(map, key, sql, parameters);
        return sql;
    }

    private static void Tell(YamlMap map, string key, string sql, IReadOnlyCollection<string> parameters)
    {
        foreach (var problem in SqlTemplate.Problems(sql, parameters))
        {
            map.File.Problem(map.LineOf(key), problem);
        }
    }

    private static async Task<(bool Yes, Row? Row)> AskAsync(MigrationContext context, string sql, CancellationToken ct)
    {
        var rows = await context.ClickHouse.QueryAsync(SqlTemplate.Fill(sql, context.Parameters.Find), ReadOnly, ct);
        var row = rows.Count > 0 ? rows[0] : null;
        return (row?.Text(row.Columns[0]) is not (null or "0" or "" or "false"), row);
    }

    // A message may name what the query has found.
    private static Func<string, object?> Find(MigrationContext context, Row? row) =>
        name => (row is null ? null : SqlTemplate.Find(row, name)) ?? context.Parameters.Find(name);
}
