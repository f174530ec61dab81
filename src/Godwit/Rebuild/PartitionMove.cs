using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>A part that is moved.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Hash">The hash of its files, which it keeps where it goes.</param>
internal sealed record MovedPart(string Name, string Hash);

/// <summary>What is journaled before a partition is moved.</summary>
/// <param name="Parts">Its parts.</param>
/// <param name="Rows">Their rows.</param>
/// <param name="LastBlock">The largest block number among them: what was inserted later has a larger one.</param>
/// <param name="Alike">Parts of the other table that had one of these hashes before.</param>
/// <param name="At">When.</param>
internal sealed record MoveIntent(IReadOnlyList<MovedPart> Parts, long Rows, long LastBlock, IReadOnlyList<string> Alike, DateTimeOffset At);

/// <summary>
/// Moves a partition to another table, once. The server links the parts over there and then removes them here; when it dies in between, it comes back
/// with all of them here and some or all there. So each part is looked for on both sides by its hash, before anything is sent again.
/// </summary>
/// <param name="context">The step.</param>
/// <param name="from">Where it is.</param>
/// <param name="to">Where it goes.</param>
/// <param name="partition">Its id.</param>
internal sealed class PartitionMove(StepContext context, QualifiedName from, QualifiedName to, string partition)
{
    /// <summary>Parts that were merged stay visible for old_parts_lifetime, 8 minutes; after less than that, no trace means that nothing came.</summary>
    private static readonly TimeSpan Traceable = TimeSpan.FromMinutes(5);

    /// <summary>The fact that keeps the hashes of the parts that a statement of that name brings.</summary>
    public static string Hashes(string name) => $"{name}/hashes";

    /// <summary>How many rows the partition has in a table.</summary>
    public static Task<long> RowsAsync(StepContext context, QualifiedName table, string partition, CancellationToken ct) =>
        context.Gateway.ScalarAsync<long>($"SELECT toInt64(sum(rows)) FROM system.parts WHERE {Where(table, partition)} AND active", ct: ct);

    /// <summary>Moves it, or finishes moving it.</summary>
    /// <param name="name">The journal's name for it.</param>
    /// <param name="ct">Cancels.</param>
    public async Task RunAsync(string name, CancellationToken ct)
    {
        if (context.Journal.IsDone(name))
        {
            return;
        }

        await LongStatement.KillOwnAsync(context, ct);
        if (context.Journal.FindOpen<MoveIntent>(name) is { } cutOff && await ArrivedAsync(name, cutOff, ct))
        {
            await context.Journal.OutcomeAsync(name, new { foundIn = "parts" });
            return;
        }

        var parts = await context.Gateway.QueryAsync($"SELECT name, hash_of_all_files AS hash, rows, max_block_number AS block FROM system.parts WHERE {Where(from, partition)} AND active AND rows > 0", ct: ct);
        var moved = parts.Select(p => new MovedPart(p["name"], p["hash"])).ToList();
        var alike = await PresentAsync(to, moved, [], ct);
        await context.Journal.FactAsync(Hashes(name), moved.Select(m => m.Hash).ToList());
        await context.Journal.IntentAsync(name, new MoveIntent(
            moved, parts.Sum(p => p.Int64("rows")), parts.Select(p => p.Int64("block")).DefaultIfEmpty().Max(), alike.Select(a => a.Name).ToList(), context.Clock.GetUtcNow()));
        if (moved.Count > 0)
        {
            await context.SendAsync(name, $"ALTER TABLE {from.ToSql()} MOVE PARTITION ID {Sql.Literal(partition)} TO TABLE {to.ToSql()}", ct);
        }

        await context.Journal.OutcomeAsync(name, new { });
    }

    /// <summary>Whether a move that was cut off has happened. What only half happened is taken back.</summary>
    private async Task<bool> ArrivedAsync(string name, MoveIntent cutOff, CancellationToken ct)
    {
        var there = await PresentAsync(to, cutOff.Parts, cutOff.Alike, ct);
        // The server covers what is gone with empty parts.
        var here = (await context.Gateway.QueryAsync($"SELECT name, min_block_number AS block FROM system.parts WHERE {Where(from, partition)} AND active AND rows > 0", ct: ct))
            .Where(p => p.Int64("block") <= cutOff.LastBlock).Select(p => p["name"]).ToHashSet(StringComparer.Ordinal);
        var isWholeHere = cutOff.Parts.All(p => here.Contains(p.Name));
        if (there.Count == 0 && isWholeHere && context.Clock.GetUtcNow() - cutOff.At < Traceable)
        {
            return false;
        }

        if (there.Count >= cutOff.Parts.Count && here.Count == 0)
        {
            return true;
        }

        if (there.Count > 0 && isWholeHere && there.All(p => p.IsActive))
        {
            await context.ChangeAsync($"{name}-take-back", there.Select(p => $"ALTER TABLE {to.ToSql()} DROP PART {Sql.Literal(p.Name)}").ToList(), null, ct);
            return false;
        }

        throw new NeedsOperatorException(
            $"Moving partition {partition} of {from} to {to} was cut off, and parts were merged since, so whether it happened cannot be told: {cutOff.Rows} rows were to be moved. "
            + "Count the rows of the partition in both tables, and make it right by hand: all of them in one table. `resume` then goes on as if they had been moved, `rollback` moves them back.")
        {
            OnTold = () => context.Journal.OutcomeAsync(name, new { foundBy = "operator" }),
        };
    }

    private async Task<IReadOnlyList<(string Name, bool IsActive)>> PresentAsync(QualifiedName table, IReadOnlyList<MovedPart> parts, IReadOnlyList<string> except, CancellationToken ct)
    {
        var wanted = parts.Select(p => p.Hash).ToHashSet(StringComparer.Ordinal);
        var rows = await context.Gateway.QueryAsync($"SELECT name, hash_of_all_files AS hash, active FROM system.parts WHERE {Where(table, partition)}", ct: ct);
        return rows.Where(r => wanted.Contains(r["hash"]) && !except.Contains(r["name"], StringComparer.Ordinal)).Select(r => (r["name"], r.Int64("active") == 1)).ToList();
    }

    /// <summary>The condition on system.parts that selects the parts of a partition.</summary>
    public static string Where(QualifiedName table, string partition) => $"{TableReader.Where(table, "table")} AND partition_id = {Sql.Literal(partition)}";
}
