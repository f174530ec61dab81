using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>The journal's fact that a partition was linked, and up to which position.</summary>
internal sealed record LinkedFact(string Partition, long Position, long Rows);

/// <summary>
/// Gives the replacement a partition's parts by hard link, which takes no time that depends on their rows. Which inserts were among
/// them is found out from the row counts: parts become visible in the order of their positions.
/// </summary>
internal sealed class LinkPartition : IStep
{
    public const string Name = "link-partition";
    private const int MostAttempts = 50;

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        var partition = context.Arguments<PartitionArguments>().Partition;
        if (context.Journal.Has($"linked/{partition}"))
        {
            return;
        }

        // The gate of linked parts counts rows, so what changes them in place must be seen from the first link on.
        await MarkPosition.NoteAsync(context, spec, ct);
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            await context.ChangeAsync(
                "link", ct, $"ALTER TABLE {spec.Staging.ToSql()} REPLACE PARTITION ID {Sql.Literal(partition)} FROM {spec.Source.ToSql()}");
            if (await FindPositionAsync(context, spec, partition, ct) is { } linked)
            {
                await context.Journal.FactAsync($"linked/{partition}", linked);
                context.Board.Finish(context.Step.Index, linked.Rows);
                return;
            }
        }

        throw new StepFailedException(
            $"Partition {partition} of {spec.Source} was merged at every one of {MostAttempts} attempts to link it. `resume` tries again; `SYSTEM STOP MERGES` helps.");
    }

    // It goes away with staging.
    public Task UndoAsync(StepContext context, CancellationToken ct) => Task.CompletedTask;

    /// <summary>The condition for rows that arrived after their partition was linked and up to a position; null when there are none.</summary>
    public static async Task<string?> MissedAsync(StepContext context, RebuildSpec spec, long position, CancellationToken ct)
    {
        var linked = context.Journal.All<LinkedFact>("linked/").Select(f => f.Value).ToDictionary(f => f.Partition, StringComparer.Ordinal);
        if (linked.Count == 0)
        {
            return null;
        }

        var rows = await context.Gateway.QueryAsync(
            $"SELECT partition_id, max(max_block_number) AS last FROM system.parts WHERE {TableReader.Where(spec.Source, "table")} AND active GROUP BY partition_id", ct: ct);
        var grown = rows.Where(r => linked.TryGetValue(r["partition_id"], out var fact) && r.Int64("last") > fact.Position)
            .Select(r => $"(_partition_id = {Sql.Literal(r["partition_id"])} AND _block_number > {linked[r["partition_id"]].Position})").ToList();
        return grown.Count == 0 ? null : $"_block_number <= {position} AND ({string.Join(" OR ", grown)})";
    }

    // Identical files are the proof: the linked parts must be the first parts of the source, file by file.
    private static async Task<LinkedFact?> FindPositionAsync(StepContext context, RebuildSpec spec, string partition, CancellationToken ct)
    {
        var source = await PartsAsync(context, spec.Source, partition, ct);
        var linked = await PartsAsync(context, spec.Staging, partition, ct);
        var first = source.Take(linked.Count).ToList();
        var same = first.Select(p => (p.Rows, p.Hash)).Order().SequenceEqual(linked.Select(p => (p.Rows, p.Hash)).Order());
        return same && first.Count == linked.Count ? new LinkedFact(partition, first.Select(p => p.LastBlock).DefaultIfEmpty(0).Max(), linked.Sum(p => p.Rows)) : null;
    }

    private static async Task<List<(long Rows, string Hash, long LastBlock)>> PartsAsync(
        StepContext context, QualifiedName table, string partition, CancellationToken ct)
    {
        var rows = await context.Gateway.QueryAsync(
            $"""
             SELECT rows, hash_of_all_files, max_block_number FROM system.parts
             WHERE {TableReader.Where(table, "table")} AND partition_id = {Sql.Literal(partition)} AND active ORDER BY max_block_number
             """,
            ct: ct);
        return rows.Select(r => (r.Int64("rows"), r["hash_of_all_files"], r.Int64("max_block_number"))).ToList();
    }
}
