using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>
/// Holds the merges of tables and of their twins from the links to the names: merges remove rows, and until then the number of rows is what tells that nothing was
/// written. A server that is restarted lets them go on; then rows may be counted that differ, and the run fails and loses nothing.
/// </summary>
internal static class TwinMerges
{
    private const string Stop = "hold-merges";
    private const string Start = "let-merges-go-on";
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(100);

    /// <summary>What <see cref="Hold"/> and <see cref="LetGoOn"/> do.</summary>
    public static IReadOnlyList<MigrationCode> Code { get; } =
    [
        new(Stop, StopAsync) { UndoAsync = StartAsync },
        new(Start, StartAsync) { UndoAsync = (_, _) => Task.CompletedTask },
    ];

    /// <summary>Before rows are linked.</summary>
    public static Operation Hold(IReadOnlyList<QualifiedName> tables) => new CodeOperation(Stop) { Arguments = tables, Description = "Hold the merges" };

    /// <summary>When the names have changed hands.</summary>
    public static Operation LetGoOn(IReadOnlyList<QualifiedName> tables) => new CodeOperation(Start) { Arguments = tables, Description = "Let merges go on" };

    private static async Task StopAsync(CodeContext context, CancellationToken ct)
    {
        var tables = context.Arguments<List<QualifiedName>>();
        foreach (var table in tables)
        {
            await context.ExecuteAsync($"SYSTEM STOP MERGES {table.ToSql()}", ct: ct);
        }

        while (await context.Migration.ClickHouse.ScalarAsync<long>($"SELECT toInt64(count()) FROM system.merges WHERE {Any(tables, "table")}", ct: ct) > 0)
        {
            await Task.Delay(BetweenLooks, ct);
        }
    }

    private static async Task StartAsync(CodeContext context, CancellationToken ct)
    {
        var tables = context.Arguments<List<QualifiedName>>();
        var present = await context.Migration.ClickHouse.QueryAsync($"SELECT name FROM system.tables WHERE {Any(tables, "name")}", ct: ct);
        foreach (var table in tables.Where(t => present.Any(p => p["name"] == t.Table)))
        {
            await context.ExecuteAsync($"SYSTEM START MERGES {table.ToSql()}", ct: ct);
        }
    }

    // They are all in one database.
    private static string Any(List<QualifiedName> tables, string column) => $"database = {Sql.Literal(tables[0].Database)} AND {column} IN ({string.Join(", ", tables.Select(t => Sql.Literal(t.Table)))})";
}
