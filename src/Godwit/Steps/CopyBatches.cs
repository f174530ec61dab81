using Godwit.ClickHouse;
using Godwit.Copying;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>How far a copy is: everything up to this key is in the target.</summary>
/// <param name="UpTo">The key.</param>
/// <param name="Rows">Rows that were copied so far.</param>
internal sealed record CopyMark(string UpTo, long Rows);

/// <summary>Copies rows in batches. What a batch that was cut off has left in the target is deleted by its keys, and the batch sent again.</summary>
internal sealed class CopyBatches : IStep
{
    public const string Name = "copy-batches";
    private const string End = "end";
    private const string Mark = "mark";
    private const string Batch = "batch";
    private const int Repairs = 3;
    private static readonly IReadOnlyDictionary<string, string> NoColumns = new Dictionary<string, string>(StringComparer.Ordinal);

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<CopySpec>();
        await LongStatement.KillOwnAsync(context, ct);
        var (shape, problems) = await CopyShape.ReadAsync(context.Gateway, spec, await ColumnsAsync(context, spec, ct), ct);
        if (problems.Count > 0)
        {
            throw new StepFailedException($"{string.Join(' ', problems)} Mend that, then `resume`.");
        }

        RowSource source = spec.Source == Service.ClickHouse ? new ClickHouseRows(context, spec, shape) : new PostgreSqlRows(context, spec, shape);
        var target = new CopyTarget(context, spec, shape);
        var end = context.Journal.Find<string>(End) ?? await BeginAsync(context, source, target, ct);
        if (end is not null)
        {
            await CopyAsync(context, source, target, end, ct);
            await VerifyAsync(context, source, target, end, ct);
        }

        context.Board.Finish(context.Step.Index, context.Journal.Find<CopyMark>(Mark)?.Rows ?? 0);
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        var begun = context.Journal.FindOpen<KeyRange>(Batch)?.UpTo ?? context.Journal.Find<CopyMark>(Mark)?.UpTo;
        if (begun is null)
        {
            return;
        }

        var spec = context.Shared<CopySpec>();
        await LongStatement.KillOwnAsync(context, ct);

        // Of the source nothing is needed any more, so it may be away or gone.
        var (shape, _) = await CopyShape.ReadAsync(context.Gateway, spec, NoColumns, ct);
        await new CopyTarget(context, spec, shape).ClearAsync(new KeyRange(null, begun), ct);
    }

    private static async Task<IReadOnlyDictionary<string, string>> ColumnsAsync(StepContext context, CopySpec spec, CancellationToken ct)
    {
        var columns = NoColumns;
        await (spec.Source == Service.ClickHouse
            ? ReadAsync(() => ClickHouseRows.ColumnsAsync(context.Gateway, spec.From, ct))
            : PostgreSqlSource.UseAsync(context, connection => ReadAsync(() => PostgreSqlRows.ColumnsAsync(connection, spec.From, ct)), ct));
        return columns;

        async Task ReadAsync(Func<Task<IReadOnlyDictionary<string, string>>> read) => columns = await read();
    }

    /// <summary>Fixes the end of the copy; null when there is nothing to copy.</summary>
    private static async Task<string?> BeginAsync(StepContext context, RowSource source, CopyTarget target, CancellationToken ct)
    {
        var spec = context.Shared<CopySpec>();
        if (await source.CountKeylessAsync(ct) is > 0 and var keyless)
        {
            throw new StepFailedException($"{keyless} row(s) of {spec.From} have no {spec.Key}, along which rows are copied: give them one, or leave them out by `where`; then `resume`, or `rollback`.");
        }

        if (await source.LastKeyAsync(ct) is not { } end)
        {
            return null;
        }

        if ((await target.CountAsync(new KeyRange(null, end), ct)).Rows is > 0 and var rows)
        {
            throw new StepFailedException(
                $"{spec.To} has {rows} row(s) with a {spec.Key} up to {end} already, which could not be told from those that are copied. Delete them, or copy into another table; then `resume`.");
        }

        await context.Journal.FactAsync(End, end);
        return end;
    }

    private static async Task CopyAsync(StepContext context, RowSource source, CopyTarget target, string end, CancellationToken ct)
    {
        var spec = context.Shared<CopySpec>();
        while (true)
        {
            var mark = context.Journal.Find<CopyMark>(Mark);
            context.Board.Report(context.Step.Index, mark?.Rows ?? 0);
            await context.Brakes.PassAsync(ct);

            // The mark is what ends a batch, so an intent that begins at it was cut off.
            var cutOff = context.Journal.FindOpen<KeyRange>(Batch) is { } open && open.After == mark?.UpTo ? open : null;
            var range = cutOff ?? await source.NextAsync(mark?.UpTo, end, spec.BatchRows, ct);
            if (range is null)
            {
                return;
            }

            if (cutOff is null)
            {
                await context.Journal.IntentAsync(Batch, range);
            }
            else
            {
                await target.ClearAsync(range, ct);
            }

            var sent = 0L;
            context.Board.Activity = $"copying {spec.From} up to {spec.Key} {range.UpTo}";
            await source.SendAsync(range, rows => context.Board.Report(context.Step.Index, (mark?.Rows ?? 0) + (sent = rows)), ct);
            sent = (target.KeepsRows ? await target.CountAsync(range, ct) : await source.CountAsync(range, ct)).Rows;
            await context.Journal.FactAsync(Mark, new CopyMark(range.UpTo, (mark?.Rows ?? 0) + sent));
        }
    }

    /// <summary>Compares how many rows there are and which, and copies again what differs.</summary>
    private static async Task VerifyAsync(StepContext context, RowSource source, CopyTarget target, string end, CancellationToken ct)
    {
        var all = new KeyRange(null, end);
        for (var repairs = 0; target.KeepsRows; repairs++)
        {
            context.Board.Activity = "counting the rows of both sides";
            var (there, here) = (await source.CountAsync(all, ct), await target.CountAsync(all, ct));
            if (there == here)
            {
                return;
            }

            if (repairs == Repairs)
            {
                var spec = context.Shared<CopySpec>();
                throw new StepFailedException(
                    $"{spec.From} has {there.Rows} rows up to {spec.Key} {end} and {spec.To} has {here.Rows}, or others, after what differed was copied again {Repairs} times: "
                    + "something goes on writing to one of them. Let it end, then `resume`.");
            }

            await RepairAsync(context, source, target, end, ct);
        }
    }

    private static async Task RepairAsync(StepContext context, RowSource source, CopyTarget target, string end, CancellationToken ct)
    {
        for (string? after = null; await source.NextAsync(after, end, context.Shared<CopySpec>().BatchRows, ct) is { } range; after = range.UpTo)
        {
            if (await source.CountAsync(range, ct) != await target.CountAsync(range, ct))
            {
                // Cut off here, the next count finds it again.
                await context.Journal.IntentAsync("repair", range);
                await target.ClearAsync(range, ct);
                await source.SendAsync(range, _ => { }, ct);
                await context.Journal.OutcomeAsync("repair", new { });
            }
        }
    }
}
