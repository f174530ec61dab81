using Godwit.ClickHouse;
using Godwit.Operations;
using Godwit.Runs;

namespace Godwit.Copying;

/// <summary>Rows of a table on the same server.</summary>
internal sealed class ClickHouseRows(StepContext context, CopySpec spec, CopyShape shape) : RowSource
{
    private static readonly Dictionary<string, string> Settings = new(StringComparer.Ordinal)
    {
        // A batch that was deleted and is sent again must not be taken for a repetition.
        ["insert_deduplicate"] = "0",
        ["max_execution_time"] = "0",
    };

    private string Key => $"({shape.Columns.First(c => c.Target == spec.Key).Expression})";

    public override async Task<string?> LastKeyAsync(CancellationToken ct)
    {
        var row = (await context.Gateway.QueryAsync($"SELECT count() AS n, toString(max({Key})) AS last {From(null)}", ct: ct))[0];
        return row.Int64("n") == 0 ? null : row["last"];
    }

    public override Task<long> CountAsync(KeyRange range, CancellationToken ct) => context.Gateway.ScalarAsync<long>($"SELECT count() {From(range)}", ct: ct);

    public override Task SendAsync(KeyRange range, Action<long> onRows, CancellationToken ct) => LongStatement.RunAsync(
        context,
        $"INSERT INTO {spec.To.ToSql()} ({string.Join(", ", shape.Columns.Select(c => Sql.Identifier(c.Target)))}) SELECT {string.Join(", ", shape.Columns.Select(c => c.Expression))} {From(range)}",
        Settings,
        onRows,
        ct);

    protected override async Task<(string? Last, long Rows)> SkipAsync(KeyRange range, long rows, CancellationToken ct)
    {
        var row = (await context.Gateway.QueryAsync(
            $"SELECT count() AS n, toString(max(godwit_k)) AS last FROM (SELECT {Key} AS godwit_k {From(range)} ORDER BY godwit_k LIMIT {Sql.Literal(rows)})", ct: ct))[0];
        var found = row.Int64("n");
        return (found == 0 ? null : row["last"], found);
    }

    private string From(KeyRange? range)
    {
        List<string> conditions = [.. range is null ? Array.Empty<string>() : [range.Condition(Key, shape.IsNumber)], .. spec.Where is null ? Array.Empty<string>() : [$"({spec.Where})"]];
        return $"FROM {spec.From.ToSql()}{(conditions.Count == 0 ? "" : $" WHERE {string.Join(" AND ", conditions)}")}";
    }
}
