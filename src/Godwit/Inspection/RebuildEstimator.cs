using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Inspection;

/// <summary>
/// Lays a sample of a table out under its present and under its new definition, and asks the server how much the queries of the log would read of
/// each. Both hold the same rows, in granules that are smaller by as much as the sample is than the table: so a query reads the same share of either as
/// it would of the whole, and what it reads of a single granule too much stays in proportion.
/// </summary>
internal sealed class RebuildEstimator(ClickHouseGateway gateway, TimeProvider clock)
{
    private const double Notable = 0.1;

    public async Task<RebuildEstimate> EstimateAsync(RebuildRequest request, int days, CancellationToken ct)
    {
        if (request.Problems().ToList() is { Count: > 0 } problems)
        {
            throw new InvalidRequestException(problems);
        }

        var nothing = new RebuildEstimate(request.Table);
        var planner = new RebuildPlanner(gateway);
        if (await planner.UnsuitableAsync(request.Table, ct) is { } unsuitable)
        {
            return nothing with { Unavailable = unsuitable.Message };
        }

        var capabilities = await Capabilities.ProbeAsync(gateway, ct);
        if (!capabilities.HasTemporaryMergeTree)
        {
            return nothing with { Unavailable = $"{gateway.Name} is too old to hold a sample in a temporary table (it is {capabilities.Version}, that needs 23.3)." };
        }

        var source = await TableReader.ReadAsync(gateway, request.Table, ct);
        var (desired, refusal) = await planner.DesireAsync(request, source, ct);
        if (desired is null)
        {
            return nothing with { Unavailable = refusal!.Message };
        }

        var workload = await new WorkloadReader(gateway).ReadAsync(request.Table, days, ct);
        nothing = nothing with { TotalRows = source.Rows, SourceBytes = source.Bytes, WorkloadUnavailable = workload.Unavailable };
        try
        {
            return await MeasureAsync(nothing, source, desired, workload, capabilities.HasInsertAllowMaterializedColumns, ct);
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            return nothing with
            {
                Unavailable = $"No sample could be made on {gateway.Name}: {e.ServerMessage.TrimEnd('.')}."
                    + (e.Code is ClickHouseErrorCodes.AccessDenied or ClickHouseErrorCodes.ReadOnly ? " An estimate needs the right CREATE ARBITRARY TEMPORARY TABLE, and to read the table." : ""),
            };
        }
    }

    private async Task<RebuildEstimate> MeasureAsync(RebuildEstimate empty, TableSnapshot source, DesiredTable desired, Workload workload, bool materialized, CancellationToken ct)
    {
        await using var tables = new SampleTables(gateway, clock, source, RowSample.ShareOf(source));
        var rows = await RowSample.ReadAsync(gateway, source, sample => tables.DrawAsync(sample, ColumnMapping.Between(source.Columns, source.Columns, materialized), ct), ct);
        if (rows == 0)
        {
            return empty with { Basis = $"{source.Name} has no rows, or so few that none was drawn: nothing could be measured" };
        }

        var before = await LayOutAsync(tables, source.Definition, ColumnMapping.Between(source.Columns, source.Columns, materialized), source, workload, ct);
        var after = await LayOutAsync(tables, desired.Definition, ColumnMapping.Between(source.Columns, desired.Columns, materialized), source, workload, ct);
        var scale = source.Rows / (double)rows;
        var resolution = (long)(tables.Granularity(desired.Definition) * scale);
        double? ratio = before.Layout.Bytes > 0 ? after.Layout.Bytes / (double)before.Layout.Bytes : null;
        var rate = rows / Math.Max(after.Layout.Elapsed.TotalSeconds, 0.001);
        return empty with
        {
            Basis = $"measured on {RowSample.Words(rows, source)}",
            SampleRows = rows,
            Resolution = resolution,
            BytesRatio = ratio,
            CopyBytes = ratio is null ? null : (long)(source.Bytes * ratio),
            RowsPerSecond = rate,
            CopySeconds = source.Rows / rate,
            Queries = await ChangesAsync(workload, source, before.Reads, after.Reads, scale, resolution, ct),
        };
    }

    /// <summary>Lays the sample out and asks what every query would read of it.</summary>
    private async Task<(SampleLayout Layout, IReadOnlyList<(long? Rows, string? Obstacle)> Reads)> LayOutAsync(
        SampleTables tables, TableDefinition definition, IReadOnlyList<ColumnMapping> mapping, TableSnapshot source, Workload workload, CancellationToken ct)
    {
        var layout = await tables.LayOutAsync(definition, mapping, ct);
        var explainer = new QueryExplainer(gateway);
        List<(long?, string?)> reads = [];
        foreach (var query in workload.Queries.Select(q => q.Logged))
        {
            var (text, obstacle) = QueryExplainer.Prepare(query);
            (text, obstacle) = text is null ? (null, obstacle) : QueryExplainer.Over(text, query.Database, source.Name);
            var (estimate, unexplained) = text is null ? (null, obstacle) : await explainer.EstimateAsync(query, text, layout.Name, source.Name, tables.Session, ct);
            reads.Add((estimate?.Rows, unexplained));
        }

        return (layout, reads);
    }

    private async Task<IReadOnlyList<QueryChange>> ChangesAsync(
        Workload workload, TableSnapshot source, IReadOnlyList<(long? Rows, string? Obstacle)> before, IReadOnlyList<(long? Rows, string? Obstacle)> after, double scale, long resolution, CancellationToken ct)
    {
        var explainer = new QueryExplainer(gateway);
        List<QueryChange> changes = [];
        foreach (var (query, i) in workload.Queries.Select((q, i) => (q, i)))
        {
            var (text, _) = QueryExplainer.Prepare(query.Logged);
            var now = text is null ? null : (await explainer.EstimateAsync(query.Logged, text, source.Name, null, null, ct)).Estimate?.Rows;
            var (was, becomes) = ((long?)(before[i].Rows * scale), (long?)(after[i].Rows * scale));
            changes.Add(new QueryChange(query.Id, query.Text, query.Count, Verdict(was, becomes, resolution))
            {
                RowsNow = now,
                RowsBefore = was,
                RowsAfter = becomes,
                Reason = before[i].Obstacle ?? (after[i].Obstacle is { } obstacle ? $"under the new definition {obstacle}" : null),
            });
        }

        return changes;
    }

    private static QueryVerdict Verdict(long? before, long? after, long resolution) => (before, after) switch
    {
        (null, _) or (_, null) => QueryVerdict.Unknown,
        var (b, a) when Math.Abs(a.Value - b.Value) <= Math.Max(resolution, b.Value * Notable) => QueryVerdict.Same,
        var (b, a) => a < b ? QueryVerdict.Faster : QueryVerdict.Slower,
    };
}
