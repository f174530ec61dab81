using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Holds the merges of the source for the whole run: they would fold rows that arrive into rows that were copied.</summary>
internal sealed class HoldMerges : IStep
{
    public const string Name = "hold-merges";

    public string Kind => Name;

    public Task ForwardAsync(StepContext context, CancellationToken ct) =>
        HoldAsync(context, context.Shared<RebuildSpec>().Source, ct);

    public Task UndoAsync(StepContext context, CancellationToken ct) => ReleaseAsync(context, ct);

    /// <summary>Holds the merges of a table and waits until the running ones have ended.</summary>
    public static async Task HoldAsync(StepContext context, ClickHouse.QualifiedName table, CancellationToken ct)
    {
        await context.ChangeAsync("hold-merges", ct, HelperTables.Hold(table));
        while (await context.Gateway.ScalarAsync<long>(
                   $"SELECT count() FROM system.merges WHERE {TableReader.Where(table, "table")} AND NOT is_mutation", ct: ct) > 0)
        {
            context.Board.Brake = $"waiting for the running merges of {table} to end";
            await Task.Delay(TimeSpan.FromMilliseconds(100), context.Clock, ct);
        }

        context.Board.Brake = null;
    }

    /// <summary>Gives the source's merges back.</summary>
    public static async Task ReleaseAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        await context.ChangeAsync("release-merges", ct, HelperTables.Restore(spec.Source, spec.From, HelperTables.MergeHold));
    }
}
