using System.Security.Cryptography;
using System.Text;
using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>An active part of a table.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rows">Its rows.</param>
/// <param name="FirstBlock">The lowest number of an insert in it.</param>
/// <param name="LastChange">The highest number of an insert or a mutation in it: both come from one counter of the table.</param>
/// <param name="Content">What tells it from another one of its name.</param>
internal sealed record TablePart(string Name, long Rows, long FirstBlock, long LastChange, string Content);

/// <summary>The active parts of a partition at one moment.</summary>
/// <param name="Id">The partition's id.</param>
/// <param name="Parts">Its parts that hold rows.</param>
internal sealed record PartitionParts(string Id, IReadOnlyList<TablePart> Parts)
{
    /// <summary>Its rows.</summary>
    public long Rows => Parts.Sum(p => p.Rows);

    /// <summary>The highest number of an insert or a mutation in it.</summary>
    public long LastChange => Parts.Max(p => p.LastChange);

    /// <summary>Is another one as soon as anything has changed: parts do not change, they are replaced by others.</summary>
    public string Witness => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(' ', Parts.Select(p => $"{p.Name}:{p.Rows}:{p.Content}")))));

    /// <summary>The condition that selects its rows: every one of them, for as long as it is made of these parts.</summary>
    public string Condition => $"_part IN ({string.Join(", ", Parts.Select(p => Sql.Literal(p.Name)))})";
}

/// <summary>Reads the parts of tables.</summary>
internal static class TableParts
{
    /// <summary>All partitions of a table that hold rows, by id.</summary>
    /// <exception cref="StepFailedException">It has patch parts, which change rows of other parts.</exception>
    public static async Task<SortedDictionary<string, PartitionParts>> ReadAsync(StepContext context, QualifiedName table, CancellationToken ct)
    {
        var rows = await context.Gateway.QueryAsync(
            $"""
             SELECT partition_id, name, rows, min_block_number, greatest(max_block_number, toInt64(data_version)) AS last_change, {(await context.DialectAsync(ct)).PartContent} AS content
             FROM system.parts WHERE {TableReader.Where(table, "table")} AND active AND rows > 0 ORDER BY name
             """,
            ct: ct);
        if (rows.FirstOrDefault(r => r["name"].StartsWith("patch-", StringComparison.Ordinal)) is { } patch)
        {
            throw new StepFailedException($"A lightweight update of {table} is not applied yet (part {patch["name"]}). Hold these updates, ALTER TABLE {table.ToSql()} APPLY PATCHES, then `resume`.");
        }

        return new(
            rows.GroupBy(r => r["partition_id"], StringComparer.Ordinal).ToDictionary(
                g => g.Key,
                g => new PartitionParts(g.Key, [.. g.Select(r => new TablePart(r["name"], r.Int64("rows"), r.Int64("min_block_number"), r.Int64("last_change"), r["content"]))])),
            StringComparer.Ordinal);
    }

    /// <summary>The highest number of an insert or a mutation in some partitions; 0 when there is none.</summary>
    public static long LastChange(IReadOnlyDictionary<string, PartitionParts> partitions) => partitions.Values.Select(p => p.LastChange).DefaultIfEmpty(0).Max();
}
