using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>What is journaled before a partition is replaced.</summary>
/// <param name="Before">The hashes of the parts that it has.</param>
/// <param name="Wanted">The hashes of those that it is to have.</param>
internal sealed record ReplaceIntent(IReadOnlyList<string> Before, IReadOnlyList<string> Wanted);

/// <summary>
/// Replaces a partition by that of another table, or by nothing. Sent again after its answer was lost, the statement would take along what
/// was written since; so the parts are looked at by their hashes, which they keep where they are linked to, before anything is sent again.
/// </summary>
/// <param name="context">The step.</param>
/// <param name="table">The table.</param>
/// <param name="from">Where the new rows are; null for none.</param>
/// <param name="partition">The partition's id.</param>
internal sealed class PartitionReplace(StepContext context, QualifiedName table, QualifiedName? from, string partition)
{
    /// <summary>Replaces it, or finds that it was replaced.</summary>
    /// <param name="name">The journal's name for it.</param>
    /// <param name="ct">Cancels.</param>
    public async Task RunAsync(string name, CancellationToken ct)
    {
        if (context.Journal.IsDone(name))
        {
            return;
        }

        await LongStatement.KillOwnAsync(context, ct);
        var parts = await PartsAsync(table, ct);
        if (context.Journal.FindOpen<ReplaceIntent>(name) is { } cutOff && HasHappened(name, cutOff, parts))
        {
            await context.Journal.OutcomeAsync(name, new { foundIn = "parts" });
            return;
        }

        List<string> wanted = from is null ? [] : Active(await PartsAsync(from, ct));
        if (from is not null && wanted.Count == 0)
        {
            throw new StepFailedException($"{from} has no rows in partition {partition} any more; to replace with them would drop those of {table}. Fill it and `resume`, or `rollback`.");
        }

        await context.Journal.FactAsync(PartitionMove.Hashes(name), wanted);
        await context.Journal.IntentAsync(name, new ReplaceIntent(Active(parts), wanted));
        var change = from is null ? $"DROP PARTITION ID {Sql.Literal(partition)}" : $"REPLACE PARTITION ID {Sql.Literal(partition)} FROM {from.ToSql()}";
        await context.SendAsync(name, $"ALTER TABLE {table.ToSql()} {change}", ct);
        await context.Journal.OutcomeAsync(name, new { });
    }

    /// <summary>Whether the partition has rows that neither were there before nor came by a replacement that was cut off.</summary>
    public async Task<bool> HasForeignRowsAsync(string name, CancellationToken ct) =>
        context.Journal.FindOpen<ReplaceIntent>(name) is { } cutOff && AreForeign(cutOff, await PartsAsync(table, ct));

    private static bool AreForeign(ReplaceIntent cutOff, List<(string Hash, bool IsActive)> parts) => Active(parts).Except(cutOff.Before).Except(cutOff.Wanted).Any();

    private bool HasHappened(string name, ReplaceIntent cutOff, List<(string Hash, bool IsActive)> parts)
    {
        // A server that died in the middle may have come back with the new parts beside the old ones.
        var isOldGone = !Active(parts).Except(cutOff.Wanted).Intersect(cutOff.Before).Any();
        if (isOldGone && !cutOff.Wanted.Except(parts.Select(p => p.Hash)).Any() && (cutOff.Wanted.Count > 0 || Active(parts).Count == 0))
        {
            return true;
        }

        if (!AreForeign(cutOff, parts))
        {
            return false;
        }

        throw new NeedsOperatorException(
            $"Replacing partition {partition} of {table} was cut off, and rows were written to it or merged since, so whether it happened cannot be told. "
            + "Look at its rows and make it right by hand. `resume` then goes on as if it had been replaced.")
        {
            OnTold = () => context.Journal.OutcomeAsync(name, new { foundBy = "operator" }),
        };
    }

    private static List<string> Active(List<(string Hash, bool IsActive)> parts) => parts.Where(p => p.IsActive).Select(p => p.Hash).ToList();

    private async Task<List<(string Hash, bool IsActive)>> PartsAsync(QualifiedName of, CancellationToken ct) =>
        (await context.Gateway.QueryAsync(
            $"SELECT hash_of_all_files AS hash, active FROM system.parts WHERE {PartitionMove.Where(of, partition)} AND rows > 0", ct: ct))
        .Select(p => (p["hash"], p.Int64("active") == 1)).ToList();
}
