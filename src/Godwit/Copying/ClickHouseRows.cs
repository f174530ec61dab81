using Godwit.ClickHouse;
using Godwit.Operations;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Copying;

/// <summary>Rows of a table on the same server.</summary>
internal sealed class ClickHouseRows(StepContext context, CopySpec spec, CopyShape shape) : RowSource(spec, shape)
{
    private static readonly Dictionary<string, string> Settings = new(StringComparer.Ordinal)
    {
        // A batch that was deleted and is sent again must not be taken for a repetition.
        ["insert_deduplicate"] = "0",
        ["max_execution_time"] = "0",
    };

    /// <summary>The columns of a table and their types.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> ColumnsAsync(ClickHouseGateway gateway, QualifiedName table, CancellationToken ct) =>
        (await TableReader.ReadColumnsAsync(gateway, TableReader.Where(table, "table"), null, ct)).ToDictionary(c => c.Name, c => c.Type, StringComparer.Ordinal);

    public override async Task<string?> LastKeyAsync(CancellationToken ct)
    {
        var row = (await context.Gateway.QueryAsync($"SELECT count() AS n, {Text($"max({Key})")} AS last {From(null)}", ct: ct))[0];
        return row.Int64("n") == 0 ? null : row["last"];
    }

    public override Task<long> CountKeylessAsync(CancellationToken ct) => context.Gateway.ScalarAsync<long>($"SELECT toInt64(count()) {From(null, $"isNull({Key})")}", ct: ct);

    public override async Task<Tally> CountAsync(KeyRange range, CancellationToken ct)
    {
        var row = (await context.Gateway.QueryAsync($"SELECT count() AS n, toString(sum({Shape.Bits(Key)})) AS bits {From(range)}", ct: ct))[0];
        return new Tally(row.Int64("n"), row["bits"]);
    }

    public override Task SendAsync(KeyRange range, Action<long> onRows, CancellationToken ct) => LongStatement.RunAsync(
        context,
        $"INSERT INTO {Spec.To.ToSql()} ({string.Join(", ", Columns.Select(c => Sql.Identifier(c.Target)))}) SELECT {string.Join(", ", Columns.Select(c => c.Expression))} {From(range)}",
        Settings,
        onRows,
        ct);

    protected override async Task<(string? Last, long Rows)> SkipAsync(KeyRange range, long rows, CancellationToken ct)
    {
        var row = (await context.Gateway.QueryAsync(
            $"SELECT count() AS n, {Text("max(godwit_k)")} AS last FROM (SELECT {Key} AS godwit_k {From(range)} ORDER BY godwit_k LIMIT {Sql.Literal(rows)})", ct: ct))[0];
        var found = row.Int64("n");
        return (found == 0 ? null : row["last"], found);
    }

    private string Text(string key) => Shape.Kind == KeyKind.Moment ? $"toString(toUnixTimestamp({key}))" : $"toString({key})";

    private string From(KeyRange? range, string? more = null) => $"FROM {Spec.From.ToSql()}{Where(range, more)}";
}
