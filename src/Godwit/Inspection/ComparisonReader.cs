using System.Globalization;
using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Inspection;

/// <summary>Compares two tables by counts: one statement for all rows, one for the ids, one for each cut, one after the other.</summary>
internal sealed class ComparisonReader(ClickHouseGateway gateway, ComparisonRequest request)
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    // Bytes that a statement may take of the memory, unless the user has a limit already; groups go to disk long before.
    private const long MostMemory = 8_000_000_000;
    private const long MostInMemory = 1_000_000_000;

    // A guest on a server that answers others: two threads, and nothing written.
    private static readonly Dictionary<string, string> Modest = new(CopyTuning.ReadSettings, StringComparer.Ordinal)
    {
        ["readonly"] = "2",
        ["max_threads"] = "2",
        ["max_execution_time"] = "3600",
        ["cancel_http_readonly_queries_on_client_close"] = "1",
    };

    private IReadOnlyDictionary<string, string> _settings = Modest;

    /// <summary>Compares them.</summary>
    /// <exception cref="InvalidRequestException">There is no such table or column, or the condition is no expression.</exception>
    public async Task<Comparison> ReadAsync(CancellationToken ct)
    {
        Require([.. request.Problems()]);
        var (a, missingA) = await ComparedSide.ReadAsync(gateway, request.A, ct);
        var (b, missingB) = await ComparedSide.ReadAsync(gateway, request.B, ct);
        Require([.. new[] { missingA, missingB }.OfType<string>().Distinct(StringComparer.Ordinal)]);
        var columns = ComparedColumns.Choose(request, a!, b!);
        var sql = new ComparisonSql(a!, b!, request.Where);
        _settings = await SettingsAsync(ct);
        await RequireConditionAsync(sql, [a!, b!], ct);

        var (rows, last) = await TotalsAsync(sql, columns.Day, ct);
        return new Comparison(request.A.ToString(), request.B.ToString())
        {
            Node = gateway.Name,
            Where = request.Where,
            Rows = rows,
            Last = last,
            Cuts = await CutsAsync(sql, columns, ct),
            Ids = columns.Id is null ? null : await IdsAsync(sql, columns.Id, ct),
            Notes = columns.Notes,
        };
    }

    private async Task<IReadOnlyDictionary<string, string>> SettingsAsync(CancellationToken ct)
    {
        var own = await gateway.ScalarAsync<long>("SELECT toInt64(value) FROM system.settings WHERE name = 'max_memory_usage'", ct: ct);
        var limit = own > 0 ? own : MostMemory;
        Dictionary<string, string> settings = new(Modest, StringComparer.Ordinal)
        {
            ["max_memory_usage"] = limit.ToString(CultureInfo.InvariantCulture),
            ["max_bytes_before_external_group_by"] = Math.Min(limit / 4, MostInMemory).ToString(CultureInfo.InvariantCulture),
        };
        return await Known.SettingsAsync(gateway, settings, ct);
    }

    private static void Require(List<string> problems)
    {
        if (problems.Count > 0)
        {
            throw new InvalidRequestException(problems);
        }
    }

    private async Task RequireConditionAsync(ComparisonSql sql, IReadOnlyList<ComparedSide> sides, CancellationToken ct)
    {
        List<string> problems = [];
        foreach (var side in request.Where is null ? [] : sides)
        {
            try
            {
                await AskAsync(sql.Try(side, isChosen: true), ct);
            }
            catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
            {
                // A table that cannot be read at all is no fault of the condition, and says so itself here.
                await AskAsync(sql.Try(side, isChosen: false), ct);
                problems.Add($"'{request.Where}' is not an expression that rows of {side.Name} can be chosen by: {e.ServerMessage}");
            }
        }

        Require(problems);
    }

    private async Task<(ComparisonRow Rows, ComparedTimes? Last)> TotalsAsync(ComparisonSql sql, string? day, CancellationToken ct)
    {
        var (a, b) = Sides(await AskAsync(sql.Totals(day), ct));
        return (new ComparisonRow(null, a.Int64("godwit_rows"), b.Int64("godwit_rows")), day is null ? null : new ComparedTimes(day, Moment(a), Moment(b)));
    }

    private async Task<ComparedIds> IdsAsync(ComparisonSql sql, string id, CancellationToken ct)
    {
        try
        {
            var (a, b) = Sides(await AskAsync(sql.Ids(id), ct));
            ComparisonRow Of(string column) => new(null, a.Int64(column), b.Int64(column));
            return new ComparedIds(id, Of("godwit_rows"), Of("godwit_unique"));
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            return new ComparedIds(id, new ComparisonRow(null, 0, 0), new ComparisonRow(null, 0, 0), Unavailable($"Unique values of {id}", e));
        }
    }

    private async Task<IReadOnlyList<ComparisonCut>> CutsAsync(ComparisonSql sql, ComparedColumns columns, CancellationToken ct)
    {
        List<ComparisonCut> cuts = [];
        if (columns.PartitionsOf is { } side)
        {
            cuts.Add(await CutAsync(new ComparisonCut(CutKind.Partition, side.PartitionKey), sql.ByExpressions(side.PartitionExpressions, request.Limit), ct));
        }

        if (columns.Day is { } day)
        {
            cuts.Add(await CutAsync(new ComparisonCut(CutKind.Day, day), sql.ByDay(day, request.Limit), ct));
        }

        foreach (var column in columns.By)
        {
            cuts.Add(await CutAsync(new ComparisonCut(CutKind.Column, column), sql.By(column, request.Limit), ct));
        }

        return cuts;
    }

    private async Task<ComparisonCut> CutAsync(ComparisonCut cut, string sql, CancellationToken ct)
    {
        try
        {
            var rows = await AskAsync(sql, ct);
            return rows is [var total, ..]
                ? cut with
                {
                    Keys = total.Int64("godwit_keys"),
                    Differing = total.Int64("godwit_differing"),
                    Rows = rows.Skip(1).Select(k => new ComparisonRow(k.Bool("godwit_is_null") ? null : k["godwit_text"], k.Int64("godwit_rows_a"), k.Int64("godwit_rows_b"))).ToList(),
                }
                : cut;
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            return cut with { Unavailable = Unavailable($"Rows by {cut.By}", e) };
        }
    }

    private string Unavailable(string what, ClickHouseException e) => $"{what} could not be counted on {gateway.Name}: {e.ServerMessage.TrimEnd('.')}."
        + (e.Code is ClickHouseErrorCodes.MemoryLimitExceeded or ClickHouseErrorCodes.TimeoutExceeded ? " Choose fewer rows by a condition." : "");

    private static (Row A, Row B) Sides(IReadOnlyList<Row> rows) => (rows.Single(r => r["godwit_side"] == "a"), rows.Single(r => r["godwit_side"] == "b"));

    // The greatest of no rows is the moment 0.
    private static string? Moment(Row row)
    {
        if (row.Int64("godwit_rows") == 0 || row.Text("godwit_last") is not { } text)
        {
            return null;
        }

        var precise = text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;
        return precise.Contains(' ', StringComparison.Ordinal) ? $"{precise.Replace(' ', 'T')}Z" : precise;
    }

    /// <summary>Asks; giving up means that the statement is gone from the server.</summary>
    private async Task<IReadOnlyList<Row>> AskAsync(string sql, CancellationToken ct)
    {
        var options = new QueryOptions { QueryId = WorkloadReader.OwnQueryId(), Settings = _settings, Timeout = Longest + TimeSpan.FromMinutes(1) };
        try
        {
            return await gateway.QueryAsync(sql, options, ct);
        }
        catch (OperationCanceledException)
        {
            await LongStatement.KillAsync(gateway, $"query_id = {Sql.Literal(options.QueryId)}", CancellationToken.None);
            throw;
        }
    }
}
