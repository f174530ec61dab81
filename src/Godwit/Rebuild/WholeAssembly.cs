using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>Partitions of a table.</summary>
/// <param name="Table">The table.</param>
/// <param name="Partition">The id of the partition; null for all.</param>
internal sealed record WholePiece(QualifiedName Table, string? Partition = null);

/// <summary>
/// Puts a table together from partitions of others, by hard links, which takes no time that depends on their rows. It is begun with an empty table each time:
/// parts that were replaced may come back when an old server dies, and what was cut off is not looked at.
/// </summary>
internal static class WholeAssembly
{
    // A statement must stay below max_query_size.
    private const int MostPerStatement = 200;

    /// <summary>Puts it together. Its merges stand still until somebody starts them.</summary>
    public static async Task MakeAsync(StepContext context, QualifiedName table, TableDefinition definition, IEnumerable<WholePiece> pieces, CancellationToken ct)
    {
        context.Board.Activity = "putting the new table together";
        await CreateAsync(context, table, definition, ct);
        await MergeControl.StopAsync(context, table, ct);
        var rows = 0L;
        foreach (var piece in pieces)
        {
            var parts = (await TableParts.ReadAsync(context, piece.Table, ct)).Values.Where(p => piece.Partition is null || p.Id == piece.Partition).ToList();
            rows += parts.Sum(p => p.Rows);
            foreach (var some in parts.Chunk(MostPerStatement))
            {
                await context.ChangeAsync(
                    "assemble", ct, $"ALTER TABLE {table.ToSql()} {string.Join(", ", some.Select(p => $"ATTACH PARTITION ID {Sql.Literal(p.Id)} FROM {piece.Table.ToSql()}"))}");
            }
        }

        var present = (await TableParts.ReadAsync(context, table, ct)).Values.Sum(p => p.Rows);
        if (present != rows)
        {
            throw new StepFailedException($"{rows} rows were linked into {table}, and it has {present}: something else changes this table. Find out what does, then `resume`.");
        }
    }

    /// <summary>Makes it, empty. Where the settings can be given back later, it begins no merges by itself, also after a restart of the server.</summary>
    public static async Task CreateAsync(StepContext context, QualifiedName table, TableDefinition definition, CancellationToken ct)
    {
        var dialect = await context.DialectAsync(ct);
        await HelperTables.DropAsync(context, ct, table);
        await context.ChangeAsync(
            "create",
            [definition.ToSql(table, dialect.Capabilities.HasModifySetting ? HelperTables.Staging(blockLog: false) : null)],
            dialect.Known(HelperTables.CreateSettingsOfAllAges(definition)),
            ct);
    }

    /// <summary>Lets its merges go on, with the settings that it is to have.</summary>
    public static async Task ReleaseAsync(StepContext context, QualifiedName table, TableDefinition definition, CancellationToken ct)
    {
        await MergeControl.StartAsync(context, table, ct);
        if ((await context.DialectAsync(ct)).Capabilities.HasModifySetting)
        {
            await context.ChangeAsync("release-merges", HelperTables.Restore(table, definition, HelperTables.MergeHold), null, ct);
        }
    }
}
