using System.Globalization;
using Godwit.ClickHouse;

namespace Godwit.Runs;

/// <summary>
/// What holds a run before it puts more work on the server: too many parts, too little disk, a person's own SQL. The reason is on the
/// board for as long as a brake is on. Rows per second are not here: the server itself keeps that limit for each statement.
/// </summary>
internal sealed class Brakes(ClickHouseGateway gateway, QualifiedName? table, RunOptions options, ProgressBoard board, TimeProvider clock)
{
    // A person's own SQL is asked, never obeyed: 2 is read-only with settings allowed.
    private static readonly Dictionary<string, string> ReadOnly = new(StringComparer.Ordinal) { ["readonly"] = "2" };
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private long? _defaultMaxParts;
    private bool? _hasDisks;

    /// <summary>Returns when no brake is on.</summary>
    public async Task PassAsync(CancellationToken ct)
    {
        try
        {
            while (await ReasonAsync(ct) is { } reason)
            {
                board.Brake = reason;
                await Task.Delay(Period, clock, ct);
            }
        }
        finally
        {
            board.Brake = null;
        }
    }

    private async Task<string?> ReasonAsync(CancellationToken ct) =>
        await TooManyPartsAsync(ct) ?? await TooLittleDiskAsync(ct) ?? await OwnSqlAsync(ct);

    private async Task<string?> TooManyPartsAsync(CancellationToken ct)
    {
        if (table is null)
        {
            return null;
        }

        var limit = options.MaxParts ?? await DefaultMaxPartsAsync(ct);
        var rows = await gateway.QueryAsync(
            $"""
             SELECT partition_id, count() AS parts FROM system.parts
             WHERE {Rebuild.TableReader.Where(table, "table")} AND active GROUP BY partition_id ORDER BY parts DESC LIMIT 1
             """,
            ct: ct);
        return rows.Count > 0 && rows[0].Int64("parts") > limit
            ? $"partition {rows[0]["partition_id"]} of {table} has {rows[0]["parts"]} active parts (limit {limit})"
            : null;
    }

    private async Task<string?> TooLittleDiskAsync(CancellationToken ct)
    {
        // Servers before 19.15 do not tell.
        if (!(_hasDisks ??= (await Known.ColumnsAsync(gateway, ["disks"], null, ct)).Count > 0))
        {
            return null;
        }

        var rows = await gateway.QueryAsync(
            $"""
             SELECT name, unreserved_space FROM system.disks WHERE unreserved_space < {Sql.Literal(options.MinFreeDisk)}
                 {(table is null ? "" : $"AND name IN (SELECT disk_name FROM system.parts WHERE {Rebuild.TableReader.Where(table, "table")} AND active)")}
             """,
            ct: ct);
        return rows.Count > 0
            ? $"disk {rows[0]["name"]} has {rows[0].Int64("unreserved_space") >> 20} MiB free (wanted {options.MinFreeDisk >> 20} MiB)"
            : null;
    }

    private async Task<string?> OwnSqlAsync(CancellationToken ct)
    {
        foreach (var sql in options.BrakeSql)
        {
            var answer = await AnswerAsync(gateway, sql, ct);
            if (!double.TryParse(answer, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || value != 0)
            {
                return $"the brake SQL returned {answer}, not 0: {sql}";
            }
        }

        return null;
    }

    /// <summary>The first value that a brake SQL returns; a few words when it returns none.</summary>
    public static async Task<string> AnswerAsync(ClickHouseGateway gateway, string sql, CancellationToken ct) =>
        await gateway.QueryAsync(sql, new QueryOptions { Settings = ReadOnly }, ct) is [var row, ..] ? row.Text(row.Columns[0]) ?? "NULL" : "no row";

    // Half of where the server itself begins to slow writers down: a brake that comes later helps nobody.
    private async Task<long> DefaultMaxPartsAsync(CancellationToken ct) =>
        _defaultMaxParts ??= await gateway.ScalarAsync<long>(
            "SELECT intDiv(toInt64(value), 2) FROM system.merge_tree_settings WHERE name = 'parts_to_delay_insert'", ct: ct);
}
