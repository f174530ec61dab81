using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>A column of another type must keep its values: each is cast to the new type and back.</summary>
internal sealed class ColumnCastCheck : IRebuildCheck
{
    public string Name => "column-cast";

    public async Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        var source = draft.Source.Columns.ToDictionary(c => c.Name, StringComparer.Ordinal);
        List<(string Text, bool IsFatal)> problems = [];
        var changed = draft.Desired.Columns.Where(c => c.IsStored && source.TryGetValue(c.Name, out var old) && old.IsStored && old.Type != c.Type).ToList();
        foreach (var column in changed)
        {
            if (await ProblemAsync(draft, source[column.Name], column, ct) is { } problem)
            {
                problems.Add(problem);
            }
        }

        return (changed.Count, problems.Count) switch
        {
            (0, _) => null,
            (_, 0) => this.Ok($"Every value of {string.Join(", ", changed.Select(c => c.Name))} survives the new type."),
            _ when problems.Exists(p => p.IsFatal) => this.Refuse(string.Join(" ", problems.Select(p => p.Text)) + " Mend these rows first."),
            _ => this.RefuseUnlessAccepted(draft, string.Join(" ", problems.Select(p => p.Text))),
        };
    }

    private static async Task<(string Text, bool IsFatal)?> ProblemAsync(RebuildDraft draft, TableColumn from, TableColumn to, CancellationToken ct)
    {
        var name = Sql.Identifier(from.Name);
        var key = draft.Source.SortingKey.Length == 0 ? "''" : draft.Source.SortingKey;
        var options = new QueryOptions { Settings = await Known.SettingsAsync(draft.Gateway, CopyTuning.ReadSettings, ct), Timeout = Timeout.InfiniteTimeSpan };
        var back = $"CAST(CAST({name} AS {to.Type}) AS {from.Type})";

        // Servers before 23.3 cannot compare NULL with NULL in a condition.
        var lost = draft.Capabilities.HasTemporaryMergeTree ? $"{back} IS DISTINCT FROM {name}" : $"ifNull(toString({back}), '') != ifNull(toString({name}), '') OR isNull({back}) != isNull({name})";
        try
        {
            return await FindAsync(draft, key, lost, options, ct) is { } rows
                ? ($"Column {from.Name} cannot become {to.Type} without loss: {rows}.", false)
                : null;
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            // Something cannot be cast at all: find which rows, where the type has a cast that answers NULL instead of failing.
            var rows = await FailingRowsAsync(draft, key, name, to, options, ct);
            return ($"Column {from.Name} cannot become {to.Type}: {rows ?? e.ServerMessage}.", rows is not null);
        }
    }

    private static async Task<string?> FailingRowsAsync(
        RebuildDraft draft, string key, string name, TableColumn to, QueryOptions options, CancellationToken ct)
    {
        try
        {
            return await FindAsync(draft, key, $"accurateCastOrNull({name}, {Sql.Literal(to.Type)}) IS NULL AND {name} IS NOT NULL", options, ct)
                ?? (await FindAsync(draft, key, $"{name} IS NULL", options, ct) is { } rows ? $"it is NULL in {rows}" : null);
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            return null;
        }
    }

    private static async Task<string?> FindAsync(RebuildDraft draft, string key, string condition, QueryOptions options, CancellationToken ct)
    {
        var table = draft.Source.Name.ToSql();
        var count = await draft.Gateway.ScalarAsync<long>($"SELECT count() FROM {table} WHERE {condition}", options with { QueryId = WorkloadReader.OwnQueryId() }, ct);
        if (count == 0)
        {
            return null;
        }

        var rows = await draft.Gateway.QueryAsync($"SELECT toString(tuple({key})) AS k FROM {table} WHERE {condition} LIMIT 3", options with { QueryId = WorkloadReader.OwnQueryId() }, ct);
        return $"{count} row(s), such as those with ({draft.Source.SortingKey}) = {string.Join(", ", rows.Select(r => r["k"]))}";
    }
}
