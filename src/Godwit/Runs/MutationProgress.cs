using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Runs;

/// <summary>The rows that a mutation has rewritten: those of parts that are not to do any more, and of the parts that it is at.</summary>
internal sealed class MutationProgress
{
    private readonly StepContext _context;
    private readonly QualifiedName _table;
    private readonly string _id;
    private readonly bool _namesParts;

    private MutationProgress(StepContext context, QualifiedName table, string id, bool namesParts) =>
        (_context, _table, _id, _namesParts) = (context, table, id, namesParts);

    /// <summary>Gets ready to ask this server, which may be too old to tell.</summary>
    public static async Task<MutationProgress> BeginAsync(StepContext context, QualifiedName table, string id, CancellationToken ct) => new(
        context, table, id,
        await context.Gateway.ScalarAsync<long>("SELECT count() FROM system.columns WHERE database = 'system' AND table = 'mutations' AND name = 'parts_to_do_names'", ct: ct) > 0);

    /// <summary>Reports the rows that are done by now.</summary>
    public async Task ShowAsync(CancellationToken ct)
    {
        if (!_namesParts || _context.Step.RowsTotal is not { } total)
        {
            return;
        }

        var left = await _context.Gateway.ScalarAsync<long>(
            $"""
             SELECT toInt64(sum(rows)) FROM system.parts WHERE {TableReader.Where(_table, "table")} AND active AND name IN (
                 SELECT arrayJoin(parts_to_do_names) FROM system.mutations WHERE {TableReader.Where(_table, "table")} AND mutation_id = {Sql.Literal(_id)})
             """,
            ct: ct);
        var read = await _context.Gateway.ScalarAsync<long>($"SELECT toInt64(sum(rows_read)) FROM system.merges WHERE {TableReader.Where(_table, "table")} AND is_mutation", ct: ct);
        _context.Board.Report(_context.Step.Index, Math.Clamp(total - left + read, 0, total));
    }
}
