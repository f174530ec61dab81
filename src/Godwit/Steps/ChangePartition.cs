using Godwit.ClickHouse;
using Godwit.Operations;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Moves, replaces or drops a partition, with a way back.</summary>
internal sealed class ChangePartition : IStep
{
    public const string Name = "change-partition";
    private const string Forward = "forward";
    private const string Undo = "undo";
    private const string Rows = "rows";
    private const string Kept = "kept";

    public string Kind => Name;

    public bool IsGated => true;

    /// <summary>Ends the way back: drops the rows that were kept.</summary>
    public static Task CleanUpAsync(StepContext context, CancellationToken ct) => context.ChangeAsync("drop-kept", ct, DropKept(context.Shared<PartitionSpec>()));

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<PartitionSpec>();
        await context.Brakes.PassAsync(ct);
        if (spec.Action == PartitionAction.Replace)
        {
            await KeepRowsAsync(context, spec.Other!, ct);
            if (context.Journal.Find<long>(Rows) == 0)
            {
                throw new StepFailedException($"{spec.Other} has no rows in partition {spec.Partition} any more; to replace with them would drop those of {spec.Table}. Fill it and plan the migration again.");
            }

            await ReplaceAsync(context, spec, ct);
            return;
        }

        await (spec.Action == PartitionAction.Move ? KeepRowsAsync(context, spec.Table, ct) : CreateKeptAsync(context, spec, ct));
        await MoveAsync(context, spec, ct);
    }

    public async Task PrepareUndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<PartitionSpec>();
        if (spec.Action == PartitionAction.Drop || context.Journal.Find<long?>(Rows) is not { } expected)
        {
            return;
        }

        var table = spec.Action == PartitionAction.Move ? spec.Other! : spec.Table;
        var present = await PartitionMove.RowsAsync(context, table, spec.Partition, ct);
        if (present != expected && (context.Journal.IsDone(Forward) || await IsForeignAsync(context, spec, present, ct)))
        {
            throw new StepFailedException(
                $"Partition {spec.Partition} of {table} had {expected} rows after \"{context.Step.Description}\" and has {present} now: a rollback would take the new ones along. "
                + "Move them elsewhere first, then `rollback` again.");
        }
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<PartitionSpec>();
        if (!context.Journal.IsDone(Forward) && context.Journal.FindOpen<object>(Forward) is null)
        {
            await DropCopyAsync(context, spec, ct);
            await DropEmptyKeptAsync(context, spec, ct);
            return;
        }

        if (spec.Action == PartitionAction.Replace)
        {
            await PutBackAsync(context, spec, ct);
        }
        else
        {
            // A move that was cut off is brought to its end first: then there is one state to go back from.
            await MoveAsync(context, spec, ct);
            await new PartitionMove(context, Goal(spec), spec.Table, spec.Partition).RunAsync(Undo, ct);
        }

        await DropEmptyKeptAsync(context, spec, ct);
    }

    /// <summary>Whether a replacement that was cut off can have left so many rows: those of before are what was kept.</summary>
    private static async Task<bool> IsForeignAsync(StepContext context, PartitionSpec spec, long present, CancellationToken ct) =>
        spec.Action == PartitionAction.Replace
        && context.Journal.FindOpen<object>(Forward) is not null
        && present != await PartitionMove.RowsAsync(context, spec.Kept, spec.Partition, ct);

    private static Task MoveAsync(StepContext context, PartitionSpec spec, CancellationToken ct) =>
        new PartitionMove(context, spec.Table, Goal(spec), spec.Partition).RunAsync(Forward, ct);

    private static QualifiedName Goal(PartitionSpec spec) => spec.Action == PartitionAction.Move ? spec.Other! : spec.Kept;

    private static async Task ReplaceAsync(StepContext context, PartitionSpec spec, CancellationToken ct)
    {
        await CreateKeptAsync(context, spec, ct);
        if (!context.Journal.Has(Kept))
        {
            var rows = await PartitionMove.RowsAsync(context, spec.Table, spec.Partition, ct);
            if (rows > 0)
            {
                await context.ChangeAsync("keep", ct, Replace(spec.Kept, spec.Partition, spec.Table));
            }

            await context.Journal.FactAsync(Kept, rows > 0);
        }

        if (!context.Journal.IsDone(Forward))
        {
            await context.ChangeAsync(Forward, ct, Replace(spec.Table, spec.Partition, spec.Other!));
        }
    }

    private static async Task PutBackAsync(StepContext context, PartitionSpec spec, CancellationToken ct)
    {
        // Replacing from an empty partition empties it: so it is done once, before what was kept is dropped.
        if (!context.Journal.IsDone(Undo))
        {
            await context.ChangeAsync(Undo, ct, context.Journal.Find<bool>(Kept) ? Replace(spec.Table, spec.Partition, spec.Kept) : Drop(spec.Table, spec.Partition));
        }

        await DropCopyAsync(context, spec, ct);
    }

    /// <summary>What is kept of a replaced partition is a second copy of what is in its place; of a moved or dropped one it is the only one.</summary>
    private static async Task DropCopyAsync(StepContext context, PartitionSpec spec, CancellationToken ct)
    {
        if (spec.Action == PartitionAction.Replace && await PartitionMove.RowsAsync(context, spec.Kept, spec.Partition, ct) > 0)
        {
            await context.ChangeAsync("drop-partition-kept", ct, Drop(spec.Kept, spec.Partition));
        }
    }

    private static string Replace(QualifiedName table, string partition, QualifiedName from) =>
        $"ALTER TABLE {table.ToSql()} REPLACE PARTITION ID {Sql.Literal(partition)} FROM {from.ToSql()}";

    private static string Drop(QualifiedName table, string partition) => $"ALTER TABLE {table.ToSql()} DROP PARTITION ID {Sql.Literal(partition)}";

    private static Task CreateKeptAsync(StepContext context, PartitionSpec spec, CancellationToken ct) =>
        context.ChangeAsync("create-kept", ct, $"CREATE TABLE IF NOT EXISTS {spec.Kept.ToSql()} AS {spec.Table.ToSql()}", HelperTables.Hold(spec.Kept));

    private static async Task KeepRowsAsync(StepContext context, QualifiedName table, CancellationToken ct)
    {
        if (!context.Journal.Has(Rows))
        {
            await context.Journal.FactAsync(Rows, await PartitionMove.RowsAsync(context, table, context.Shared<PartitionSpec>().Partition, ct));
        }
    }

    // Other operations of the run may have put partitions of the same table aside.
    private static async Task DropEmptyKeptAsync(StepContext context, PartitionSpec spec, CancellationToken ct)
    {
        if (await context.Gateway.ScalarAsync<long>($"SELECT toInt64(sum(rows)) FROM system.parts WHERE {TableReader.Where(spec.Kept, "table")} AND active", ct: ct) == 0)
        {
            await context.ChangeAsync("drop-kept", ct, DropKept(spec));
        }
    }

    private static string DropKept(PartitionSpec spec) => $"DROP TABLE IF EXISTS {spec.Kept.ToSql()} SYNC";
}
