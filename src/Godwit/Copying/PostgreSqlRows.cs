using System.Data.Common;
using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Operations;
using Godwit.Runs;

namespace Godwit.Copying;

/// <summary>Rows of a table in PostgreSQL. They travel as JSON, which both sides know for every type.</summary>
internal sealed class PostgreSqlRows(StepContext context, CopySpec spec, CopyShape shape) : RowSource(spec, shape)
{
    private static readonly Dictionary<string, string> Wanted = new(StringComparer.Ordinal)
    {
        ["insert_deduplicate"] = "0",
        ["date_time_input_format"] = "best_effort",
        ["input_format_skip_unknown_fields"] = "0",
        ["input_format_json_read_objects_as_strings"] = "1",
        ["input_format_json_read_arrays_as_strings"] = "1",
        ["input_format_json_read_numbers_as_strings"] = "1",
    };

    private IReadOnlyDictionary<string, string>? _settings;

    /// <summary>The columns of a table and their types.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> ColumnsAsync(DbConnection connection, QualifiedName table, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2";
        foreach (var value in new[] { table.Database, table.Table })
        {
            var parameter = command.CreateParameter();
            parameter.Value = value;
            command.Parameters.Add(parameter);
        }

        Dictionary<string, string> columns = new(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            columns[reader.GetString(0)] = reader.GetString(1);
        }

        return columns;
    }

    public override async Task<string?> LastKeyAsync(CancellationToken ct) => (await FirstAsync($"SELECT max({Key})::text, 0::bigint {From(null)}", ct)).Text;

    public override async Task<long> CountKeylessAsync(CancellationToken ct) => (await FirstAsync($"SELECT NULL::text, count(*) {From(null, $"{Key} IS NULL")}", ct)).Number;

    public override async Task<Tally> CountAsync(KeyRange range, CancellationToken ct)
    {
        var (sum, rows) = await FirstAsync($"SELECT coalesce(sum({Key}::bigint & 4294967295), 0)::text, count(*) {From(range)}", ct);
        return new Tally(rows, sum!);
    }

    public override async Task SendAsync(KeyRange range, Action<long> onRows, CancellationToken ct)
    {
        _settings ??= await Known.SettingsAsync(context.Gateway, Wanted, ct);
        var columns = string.Join(", ", Columns.Select(c => $"{c.Expression} AS {PostgreSqlText.Identifier(c.Target)}"));
        await PostgreSqlSource.UseAsync(
            context,
            async connection =>
            {
                await using var command = connection.CreateCommand();
                (command.CommandText, command.CommandTimeout) = ($"SELECT row_to_json(godwit_r)::text FROM (SELECT {columns} {From(range)}) godwit_r", 0);
                await using var reader = await command.ExecuteReaderAsync(ct);
                await SendAsync(reader, onRows, ct);
            },
            ct);
    }

    protected override async Task<(string? Last, long Rows)> SkipAsync(KeyRange range, long rows, CancellationToken ct)
    {
        var (last, found) = await FirstAsync(
            $"SELECT max(godwit_k)::text, count(*) FROM (SELECT {Key} AS godwit_k {From(range)} ORDER BY 1 LIMIT {rows.ToString(CultureInfo.InvariantCulture)}) godwit_b", ct);
        return (last, found);
    }

    private async Task SendAsync(DbDataReader reader, Action<long> onRows, CancellationToken ct)
    {
        using var rows = new JsonRows(reader, onRows, ct);
        var options = new QueryOptions { QueryId = context.Services.NewQueryId(context.Step.Index), Settings = _settings, Timeout = Timeout.InfiniteTimeSpan };
        context.Board.CurrentQueryId = options.QueryId;
        try
        {
            await context.Gateway.InsertAsync(
                $"INSERT INTO {Spec.To.ToSql()} ({string.Join(", ", Columns.Select(c => Sql.Identifier(c.Target)))}) FORMAT JSONEachRow", rows, options, ct);
        }
        catch (ClickHouseUnreachableException) when (rows.Failure is { } failure)
        {
            // Not the server that takes the rows is away, but the one that gives them.
            throw failure;
        }
        finally
        {
            context.Board.CurrentQueryId = null;
        }
    }

    private async Task<(string? Text, long Number)> FirstAsync(string sql, CancellationToken ct)
    {
        (string?, long) first = default;
        await PostgreSqlSource.UseAsync(
            context,
            async connection =>
            {
                await using var command = connection.CreateCommand();
                (command.CommandText, command.CommandTimeout) = (sql, 0);
                await using var reader = await command.ExecuteReaderAsync(ct);
                await reader.ReadAsync(ct);
                first = (await reader.IsDBNullAsync(0, ct) ? null : reader.GetString(0), reader.GetInt64(1));
            },
            ct);
        return first;
    }

    private string From(KeyRange? range, string? more = null) => $"FROM {PostgreSqlText.Identifier(Spec.From.Database)}.{PostgreSqlText.Identifier(Spec.From.Table)}{Where(range, more)}";
}
