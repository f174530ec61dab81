using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Inspection;

/// <summary>Counts how well columns tell rows apart, and asks the server how much it reads for the queries of the log.</summary>
internal sealed class SelectivityReader(ClickHouseGateway gateway)
{
    private const int MostCandidates = 30;

    // The queries are the user's pages'; a look must not take the server from them for long.
    private static readonly Dictionary<string, string> Modest = new(CopyTuning.ReadSettings, StringComparer.Ordinal) { ["readonly"] = "2", ["max_execution_time"] = "120", ["max_threads"] = "2" };

    /// <param name="table">The table.</param>
    /// <param name="candidates">Columns to look at beside those of the key; empty takes those in the conditions of the workload.</param>
    /// <param name="days">How far back the workload goes.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<KeySelectivity> ReadAsync(QualifiedName table, IReadOnlyList<string> candidates, int days, CancellationToken ct)
    {
        if (await new RebuildPlanner(gateway).UnsuitableAsync(table, ct) is { } unsuitable)
        {
            return new KeySelectivity(table) { Unavailable = unsuitable.Message };
        }

        if (await Capabilities.ProbeAsync(gateway, ct) is { HasTemporaryMergeTree: false } old)
        {
            return new KeySelectivity(table) { Unavailable = $"{gateway.Name} is too old to be asked about rows at places in parts (it is {old.Version})." };
        }

        var source = await TableReader.ReadAsync(gateway, table, ct);
        var workload = await new WorkloadReader(gateway).ReadAsync(table, days, ct);
        return await ReadAsync(source, workload, candidates, ct);
    }

    /// <summary>Keys that the workload asks for.</summary>
    public async Task<KeyProposals> SuggestAsync(QualifiedName table, int days, CancellationToken ct)
    {
        if (await new RebuildPlanner(gateway).UnsuitableAsync(table, ct) is { } unsuitable)
        {
            return new KeyProposals(table, [], unsuitable.Message);
        }

        var workload = await new WorkloadReader(gateway).ReadAsync(table, days, ct);
        if (workload.Unavailable is not null || workload.Queries.Count == 0)
        {
            return new KeyProposals(table, [], $"No key can be proposed: {workload.Unavailable ?? $"the log of the last {days} days holds no finished SELECT on {table}, so nobody knows what it is asked for. Look again when the usual queries have run."}");
        }

        var source = await TableReader.ReadAsync(gateway, table, ct);
        var columns = workload.Queries.SelectMany(q => q.Conditions).Where(c => c.Use != ConditionUse.Other).Select(c => c.Name).Distinct(StringComparer.Ordinal).ToList();
        var selectivity = await CountAsync(source, columns, [], ct);
        return KeySuggestions.Make(source, workload, selectivity.Counted.ToDictionary(c => c.Expression, StringComparer.Ordinal));
    }

    private async Task<KeySelectivity> ReadAsync(TableSnapshot source, Workload workload, IReadOnlyList<string> candidates, CancellationToken ct)
    {
        var wanted = candidates.Count > 0 ? candidates : workload.Queries.SelectMany(q => q.Conditions).Select(c => c.Name).Distinct(StringComparer.Ordinal);
        var stored = source.Columns.Where(c => c.IsStored).Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        if (candidates.Where(c => !stored.Contains(c)).ToList() is { Count: > 0 } missing)
        {
            return new KeySelectivity(source.Name) { Unavailable = $"{source.Name} keeps no column {string.Join(", ", missing)}." };
        }

        var key = SqlText.SplitByComma(source.SortingKey);
        var (counted, basis) = await CountAsync(source, wanted.Where(stored.Contains).ToList(), key, ct);
        return new KeySelectivity(source.Name)
        {
            Basis = basis,
            Columns = counted,
            Queries = await SharesAsync(source, workload, ct),
            WorkloadUnavailable = workload.Unavailable,
        };
    }

    /// <summary>Different values of the key's expressions and of columns, on a sample.</summary>
    private async Task<(IReadOnlyList<ColumnSelectivity> Counted, string Basis)> CountAsync(TableSnapshot source, IReadOnlyList<string> columns, IReadOnlyList<string> key, CancellationToken ct)
    {
        var expressions = key.Select(k => (Sql: k, Name: SqlNames.Unquote(k), InKey: true))
            .Concat(columns.Take(MostCandidates).Select(c => (Sql: Sql.Identifier(c), Name: c, InKey: false))).DistinctBy(e => e.Name, StringComparer.Ordinal).ToList();
        if (expressions.Count == 0 || source.Rows == 0)
        {
            return ([], "the table has no rows, or no key");
        }

        Row? row = null;
        var n = await RowSample.ReadAsync(gateway, source, ReadAsync, ct);
        return (expressions.Select((e, i) => new ColumnSelectivity(e.Name, e.InKey, row!.Int64($"u{i}"), n)).ToList(), $"counted on {RowSample.Words(n, source)}");

        async Task<long> ReadAsync(RowSample sample)
        {
            var rows = sample.Select(string.Join(", ", expressions.Select((e, i) => $"{e.Sql} AS godwit_{i}")));
            row = (await gateway.QueryAsync(
                $"SELECT count() AS n, {string.Join(", ", expressions.Select((_, i) => $"uniq(godwit_{i}) AS u{i}"))} FROM ({rows})",
                new QueryOptions { Settings = Modest, QueryId = WorkloadReader.OwnQueryId() },
                ct))[0];
            return row.Int64("n");
        }
    }

    private async Task<IReadOnlyList<QueryShare>> SharesAsync(TableSnapshot source, Workload workload, CancellationToken ct)
    {
        var marks = await gateway.ScalarAsync<long>($"SELECT toInt64(sum(marks)) FROM system.parts WHERE {TableReader.Where(source.Name, "table")} AND active", ct: ct);
        var explainer = new QueryExplainer(gateway);
        List<QueryShare> shares = [];
        foreach (var query in workload.Queries)
        {
            var (text, obstacle) = QueryExplainer.Prepare(query.Logged);
            var (estimate, unexplained) = text is null ? (null, obstacle) : await explainer.EstimateAsync(query.Logged, text, source.Name, null, null, ct);
            shares.Add(new QueryShare(query.Id, query.Text, query.Count) { TotalMarks = marks, Marks = estimate?.Marks, Rows = estimate?.Rows, Unknown = unexplained });
        }

        return shares;
    }
}
