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
    private const string LastBlock = "last-block";
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
            await ReplaceAsync(context, spec, ct);
        }
        else
        {
            await (spec.Action == PartitionAction.Drop ? CreateKeptAsync(context, spec, ct) : Task.CompletedTask);
            await MoveAsync(context, spec, ct);
        }

        if (spec.Action != PartitionAction.Drop && !context.Journal.Has(LastBlock))
        {
            await context.Journal.FactAsync(LastBlock, await NewestBlockAsync(context, Brought(context), ct));
        }
    }

    public async Task PrepareUndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<PartitionSpec>();
        if (spec.Action == PartitionAction.Drop)
        {
            return;
        }

        var table = Filled(spec);
        var isForeign = context.Journal.IsDone(Forward)
            ? await NewestBlockAsync(context, null, ct) > (context.Journal.Find<long?>(LastBlock) ?? await NewestBlockAsync(context, Brought(context), ct))
            : spec.Action == PartitionAction.Replace && await new PartitionReplace(context, spec.Table, spec.Other, spec.Partition).HasForeignRowsAsync(Forward, ct);
        if (isForeign)
        {
            throw new StepFailedException(
                $"Partition {spec.Partition} of {table} has rows that came after \"{context.Step.Description}\": a rollback would take them along. Move them elsewhere first, then `rollback` again.");
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

    private static Task MoveAsync(StepContext context, PartitionSpec spec, CancellationToken ct) =>
        new PartitionMove(context, spec.Table, Goal(spec), spec.Partition).RunAsync(Forward, ct);

    private static QualifiedName Goal(PartitionSpec spec) => spec.Action == PartitionAction.Move ? spec.Other! : spec.Kept;

    private static async Task ReplaceAsync(StepContext context, PartitionSpec spec, CancellationToken ct)
    {
        await LongStatement.KillOwnAsync(context, ct);
        if (!context.Journal.IsDone(Forward) && context.Journal.FindOpen<object>(Forward) is null)
        {
            await KeepAsync(context, spec, ct);
        }

        await new PartitionReplace(context, spec.Table, spec.Other, spec.Partition).RunAsync(Forward, ct);
    }

    /// <summary>Keeps what is about to be replaced: as it is now, not as it was at an earlier try.</summary>
    private static async Task KeepAsync(StepContext context, PartitionSpec spec, CancellationToken ct)
    {
        await CreateKeptAsync(context, spec, ct);
        var rows = await PartitionMove.RowsAsync(context, spec.Table, spec.Partition, ct);
        var partition = $"PARTITION ID {Sql.Literal(spec.Partition)}";
        await context.ChangeAsync("keep", ct, $"ALTER TABLE {spec.Kept.ToSql()} {(rows > 0 ? $"REPLACE {partition} FROM {spec.Table.ToSql()}" : $"DROP {partition}")}");
        await context.Journal.FactAsync(Kept, rows > 0);
    }

    private static async Task PutBackAsync(StepContext context, PartitionSpec spec, CancellationToken ct)
    {
        // Replacing from an empty partition empties it: so it is done once, before what was kept is dropped.
        await new PartitionReplace(context, spec.Table, context.Journal.Find<bool>(Kept) ? spec.Kept : null, spec.Partition).RunAsync(Undo, ct);
        await DropCopyAsync(context, spec, ct);
    }

    /// <summary>What is kept of a replaced partition is a second copy of what is in its place; of a moved or dropped one it is the only one.</summary>
    private static async Task DropCopyAsync(StepContext context, PartitionSpec spec, CancellationToken ct)
    {
        if (spec.Action == PartitionAction.Replace && await PartitionMove.RowsAsync(context, spec.Kept, spec.Partition, ct) > 0)
        {
            await context.ChangeAsync("drop-partition-kept", ct, $"ALTER TABLE {spec.Kept.ToSql()} DROP PARTITION ID {Sql.Literal(spec.Partition)}");
        }
    }

    private static Task CreateKeptAsync(StepContext context, PartitionSpec spec, CancellationToken ct) =>
        context.ChangeAsync("create-kept", ct, $"CREATE TABLE IF NOT EXISTS {spec.Kept.ToSql()} AS {spec.Table.ToSql()}", HelperTables.Hold(spec.Kept));

    /// <summary>The table into whose partition rows are brought.</summary>
    private static QualifiedName Filled(PartitionSpec spec) => spec.Action == PartitionAction.Move ? spec.Other! : spec.Table;

    private static List<string> Brought(StepContext context) => context.Journal.Find<List<string>>(PartitionMove.Hashes(Forward)) ?? [];

    /// <summary>
    /// The largest number of a block of rows in the partition: what is inserted later has a larger one, and merges keep it. Of the parts that were
    /// brought it is looked for by their hashes, whenever that is; 0 when they were merged and forgotten since, so that every row counts as new.
    /// </summary>
    private static Task<long> NewestBlockAsync(StepContext context, List<string>? hashes, CancellationToken ct)
    {
        var spec = context.Shared<PartitionSpec>();
        var which = hashes is null ? "active" : hashes.Count == 0 ? "0" : $"hash_of_all_files IN ({string.Join(", ", hashes.Select(Sql.Literal))})";
        return context.Gateway.ScalarAsync<long>(
            $"SELECT toInt64(max(max_block_number)) FROM system.parts WHERE {PartitionMove.Where(Filled(spec), spec.Partition)} AND rows > 0 AND {which}", ct: ct);
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
