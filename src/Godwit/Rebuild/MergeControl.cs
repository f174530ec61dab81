using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>
/// Keeps merges from folding rows that must stand still. <see cref="HoldAsync"/> is for days: a table setting, which survives a restart
/// of the server, but an OPTIMIZE with a partition ignores it. <see cref="StopAsync"/> is for minutes: it stops OPTIMIZE, too, and
/// mutations with it, and a restart forgets it.
/// </summary>
internal static class MergeControl
{
    /// <summary>Whether rows of the source must stand still while they are compared: merges of its engine remove or fold some.</summary>
    public static bool IsNeeded(RebuildSpec spec) => spec.HoldsMerges || spec.ComparesFinal;

    /// <summary>Keeps the server from beginning merges of a table by itself, and waits until the running ones have ended.</summary>
    public static async Task HoldAsync(StepContext context, QualifiedName table, CancellationToken ct)
    {
        await context.ChangeAsync("hold-merges", ct, HelperTables.Hold(table));
        await WaitAsync(context, table, ct);
    }

    /// <summary>Gives a table its own settings back, and lets merges that were stopped go on.</summary>
    public static async Task ReleaseAsync(StepContext context, RebuildSpec spec, QualifiedName table, TableDefinition definition, CancellationToken ct)
    {
        if (IsNeeded(spec))
        {
            await StartAsync(context, table, ct);
        }

        await context.ChangeAsync("release-merges", HelperTables.Restore(table, definition, HelperTables.MergeHold), null, ct);
    }

    /// <summary>Stops all merges and mutations of a table. Nothing that waits for a mutation may be done before <see cref="StartAsync"/>.</summary>
    public static async Task StopAsync(StepContext context, QualifiedName table, CancellationToken ct)
    {
        await context.ChangeAsync("stop-merges", ct, $"SYSTEM STOP MERGES {table.ToSql()}");
        await WaitAsync(context, table, ct);
    }

    /// <summary>Lets merges and mutations of a table go on.</summary>
    public static Task StartAsync(StepContext context, QualifiedName table, CancellationToken ct) =>
        context.ChangeAsync("start-merges", ct, $"SYSTEM START MERGES {table.ToSql()}");

    private static async Task WaitAsync(StepContext context, QualifiedName table, CancellationToken ct)
    {
        var merges = $"{TableReader.Where(table, "table")} AND {(await context.DialectAsync(ct)).IsMerge}";
        while (await context.Gateway.ScalarAsync<long>($"SELECT count() FROM system.merges WHERE {merges}", ct: ct) > 0)
        {
            context.Board.Brake = $"waiting for the running merges of {table} to end";
            await Task.Delay(TimeSpan.FromMilliseconds(100), context.Clock, ct);
        }

        context.Board.Brake = null;
    }
}
