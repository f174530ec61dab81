using Godwit.Migrations;
using Spectre.Console;

namespace Godwit.Cli.Rendering;

/// <summary>The list of migrations.</summary>
internal static class MigrationsView
{
    /// <summary>A line for each, in the order in which they can be run.</summary>
    public static Table Of(IReadOnlyList<MigrationOverview> migrations)
    {
        var table = Look.Bare("Migration", "State", "Required", "Waits for", "Run", "");
        foreach (var migration in migrations)
        {
            table.AddRow(
                Look.Words(migration.Name, Look.Strong),
                Look.Words(migration.State.ToString(), Look.Of(migration.State)),
                Look.Words(migration.IsOrphaned ? "?" : migration.IsRequired ? "yes" : "no"),
                Look.Words(string.Join(", ", migration.WaitsFor), Look.Warn),
                Look.Words(migration.RunId ?? "", Look.Quiet),
                migration.IsOrphaned
                    ? Look.Words("its definition is gone", Look.Warn)
                    : Look.Words(migration.IsDone || migration.IsRequired ? migration.Description ?? "" : migration.Why ?? "", Look.Quiet));
        }

        return table;
    }
}
