using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Inspection;

/// <summary>
/// Makes sorting keys out of what queries ask: columns that equal a value come first, those with few values before those with many, because what
/// follows a column in the key is sorted only within each of its values; a range comes last, because nothing after it helps any more.
/// </summary>
internal static class KeySuggestions
{
    private const int MostEqualities = 3;
    private const double WorthAKey = 0.1;

    // They can be sorted by, and that is never what is meant; a Nullable one needs a setting.
    private static readonly string[] Unfit = ["Array(", "Map(", "Tuple(", "Nested(", "Float", "AggregateFunction(", "JSON", "Dynamic", "Variant(", "Nullable(", "LowCardinality(Nullable("];

    public static KeyProposals Make(TableSnapshot source, Workload workload, IReadOnlyDictionary<string, ColumnSelectivity> counted)
    {
        var usable = source.Columns
            .Where(c => c.IsStored && counted.GetValueOrDefault(c.Name) is { Distinct: > 1 } && !Array.Exists(Unfit, u => c.Type.StartsWith(u, StringComparison.Ordinal)))
            .Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        var queries = workload.Queries.Select(q => (Query: q, Conditions: q.Conditions.Where(c => c.Use != ConditionUse.Other && usable.Contains(c.Name)).ToList())).Where(q => q.Conditions.Count > 0).ToList();
        if (queries.Count == 0)
        {
            return new KeyProposals(source.Name, [], "No key can be proposed: no query in the log asks for a value or a range of a column that could be sorted by.");
        }

        var total = Math.Max(1, workload.Queries.Sum(q => q.ReadRows.Total));
        double Weight(string name, ConditionUse use) => queries.Where(q => q.Conditions.Exists(c => c.Name == name && c.Use == use)).Sum(q => (double)q.Query.ReadRows.Total) / total;
        IEnumerable<string> ByWeight(ConditionUse use) => queries.SelectMany(q => q.Conditions).Where(c => c.Use == use).Select(c => c.Name).Distinct(StringComparer.Ordinal).OrderByDescending(n => Weight(n, use)).ThenBy(n => n, StringComparer.Ordinal);
        var equal = ByWeight(ConditionUse.Equality).ToList();
        var ranges = ByWeight(ConditionUse.Range).ToList();
        var heaviest = queries[0];
        var candidates = new[]
        {
            Key(equal.Where(e => Weight(e, ConditionUse.Equality) >= WorthAKey).Take(MostEqualities), ranges.Where(r => Weight(r, ConditionUse.Range) >= WorthAKey),
                "It serves what most rows of the log were read for"),
            Key(heaviest.Conditions.Where(c => c.Use == ConditionUse.Equality).Select(c => c.Name).Take(MostEqualities), heaviest.Conditions.Where(c => c.Use == ConditionUse.Range).Select(c => c.Name),
                $"It serves the one kind of query that read the most rows ({Plain.Count(heaviest.Query.ReadRows.Total)} in {Plain.Count(heaviest.Query.Count)} runs)"),
            Key(equal.Take(1), ranges.Take(1), "It is the shortest that serves the column that is asked for most"),
        };
        var present = SqlText.SplitByComma(source.SortingKey).Select(SqlNames.Unquote).ToList();
        var proposals = candidates.OfType<(List<string> Columns, string Why)>().Where(c => !present.Take(c.Columns.Count).SequenceEqual(c.Columns, StringComparer.Ordinal))
            .DistinctBy(c => string.Join('\n', c.Columns), StringComparer.Ordinal).Select(c => new KeyProposal(SqlText.AsOneExpression(string.Join(", ", c.Columns.Select(Sql.Identifier))), c.Why)).ToList();
        return new KeyProposals(source.Name, proposals, proposals.Count == 0 ? $"The present key ({source.SortingKey}) already begins with what the queries of the log ask for." : null);

        (List<string> Columns, string Why)? Key(IEnumerable<string> equalities, IEnumerable<string> ranged, string why)
        {
            var first = equalities.OrderBy(e => counted[e].Distinct).ThenBy(e => e, StringComparer.Ordinal).ToList();
            var last = ranged.Except(first, StringComparer.Ordinal).Take(1).ToList();
            List<string> columns = [.. first, .. last];
            return columns.Count == 0 ? null : (columns, $"{why}. {Because(first, last)}");
        }

        string Because(List<string> first, List<string> last)
        {
            var values = string.Join(", then ", first.Select(f => $"{f} ({Plain.Count(counted[f].Distinct)} values)"));
            var ordered = first.Count switch { 0 => "", 1 => $"Queries ask for single values of {values}", _ => $"Queries ask for single values of these, and those with few values come first: {values}" };
            return (first.Count, last.Count) switch
            {
                (0, _) => $"Queries ask for ranges of {last[0]} and for single values of no column.",
                (_, 0) => ordered + ".",
                _ => $"{ordered}; ranges of {last[0]} come last, because nothing after a range helps.",
            };
        }
    }
}
