using Godwit.ClickHouse;
using Godwit.Operations;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>
/// Links all partitions of a table into an empty one. Linking a partition replaces what the target has of it, so it may be sent again; which rows are the
/// linked ones is told later by their blocks, whose numbers only grow.
/// </summary>
internal sealed class LinkTable : IStep
{
    public const string Name = "link-table";

    /// <summary>https://clickhouse.com/docs/whats-new/changelog/2023: from 23.12 on a statement may say what it may drop.</summary>
    private static readonly ServerVersion DropsBySetting = new(23, 12);

    private static readonly Dictionary<string, string> AnySize = new(StringComparer.Ordinal) { ["max_partition_size_to_drop"] = "0" };

    public string Kind => Name;

    /// <summary>How many rows a table has; 0 when there is none.</summary>
    public static Task<long> RowsAsync(ClickHouseGateway gateway, QualifiedName table, CancellationToken ct) =>
        gateway.ScalarAsync<long>($"SELECT toInt64(sum(rows)) FROM system.parts WHERE {TableReader.Where(table, "table")} AND active", ct: ct);

    /// <summary>The sentence for a target that has rows.</summary>
    public static string NotEmpty(QualifiedName table, string node, long rows) =>
        $"{table} on {node} has {rows} row(s) already, which could not be told from those that are linked: empty it, or name another table.";

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        if (context.Journal.Has(Linked(context)))
        {
            return;
        }

        var spec = context.Shared<LinkSpec>();
        await LongStatement.KillOwnAsync(context, ct);
        if (!context.Journal.Has(Begun(context)))
        {
            if (await RowsAsync(context.Gateway, spec.To, ct) is > 0 and var rows)
            {
                throw new StepFailedException($"{NotEmpty(spec.To, context.Step.Node, rows)} Then `resume`.");
            }

            await context.Journal.FactAsync(Begun(context), true);
        }

        foreach (var partition in (await BlocksAsync(context, spec.From, ct)).Keys)
        {
            context.Board.Activity = $"linking partition {partition} of {spec.From}";
            await context.ChangeAsync("link", ct, $"ALTER TABLE {spec.To.ToSql()} REPLACE PARTITION ID {Sql.Literal(partition)} FROM {spec.From.ToSql()}");
        }

        await context.Journal.FactAsync(Linked(context), await BlocksAsync(context, spec.To, ct));
        context.Board.Finish(context.Step.Index, await RowsAsync(context.Gateway, spec.To, ct));
    }

    public async Task PrepareUndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<LinkSpec>();
        if (context.Journal.Find<Dictionary<string, long>>(Linked(context)) is not { } linked)
        {
            return;
        }

        var foreign = (await BlocksAsync(context, spec.To, ct)).Where(p => p.Value > linked.GetValueOrDefault(p.Key, -1)).Select(p => p.Key).ToList();
        if (foreign.Count > 0)
        {
            throw new StepFailedException(
                $"{spec.To} on {context.Step.Node} has rows in partition {string.Join(", ", foreign)} that came after it was linked, and a rollback would lose them. Copy them to where they belong and delete them here; then `rollback` again.");
        }
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<LinkSpec>();
        if (!context.Journal.Has(Begun(context)))
        {
            return;
        }

        await LongStatement.KillOwnAsync(context, ct);
        var version = ServerVersion.Parse(await context.Gateway.ScalarAsync<string>("SELECT version()", ct: ct));
        foreach (var partition in (await BlocksAsync(context, spec.To, ct)).Keys)
        {
            await context.ChangeAsync("empty", [$"ALTER TABLE {spec.To.ToSql()} DROP PARTITION ID {Sql.Literal(partition)}"], version >= DropsBySetting ? AnySize : null, ct);
        }
    }

    /// <summary>The partitions that have rows, each with the number of its newest block.</summary>
    private static async Task<Dictionary<string, long>> BlocksAsync(StepContext context, QualifiedName table, CancellationToken ct)
    {
        var rows = await context.Gateway.QueryAsync(
            $"SELECT partition_id, toInt64(max(max_block_number)) AS newest FROM system.parts WHERE {TableReader.Where(table, "table")} AND active AND rows > 0 GROUP BY partition_id ORDER BY partition_id",
            ct: ct);
        return rows.ToDictionary(r => r["partition_id"], r => r.Int64("newest"), StringComparer.Ordinal);
    }

    // Facts belong to the operation, whose steps are the nodes.
    private static string Begun(StepContext context) => $"begun/{context.Step.Index}";

    private static string Linked(StepContext context) => $"linked/{context.Step.Index}";
}
