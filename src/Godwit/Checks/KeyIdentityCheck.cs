using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>To an engine that folds rows of the same key, another key means other rows.</summary>
internal sealed class KeyIdentityCheck : IRebuildCheck
{
    public string Name => "key-identity";

    public async Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        if (draft.Way == RebuildWay.Alter || !draft.ChangesIdentity)
        {
            return null;
        }

        var columns = string.Join(", ", draft.Mapping.Select(m => $"{m.Expression} AS {Sql.Identifier(m.Target)}"));
        var row = (await draft.Gateway.QueryAsync(
            $"""
             SELECT count() AS all_rows, uniqExact(cityHash64(tuple({draft.Desired.Definition.PartitionBy ?? "1"}), {Or(draft.Desired.SortingKey)})) AS by_new
             FROM (SELECT {columns} FROM {draft.Source.Name.ToSql()})
             """,
            new QueryOptions { QueryId = WorkloadReader.OwnQueryId(), Settings = await Known.SettingsAsync(draft.Gateway, CopyTuning.ReadSettings, ct), Timeout = Timeout.InfiniteTimeSpan },
            ct))[0];
        var (all, kept) = (row.Int64("all_rows"), row.Int64("by_new"));
        return this.RefuseUnlessAccepted(
            draft,
            $"{draft.TargetEngine.Name} folds rows with the same ({draft.Desired.SortingKey}), and that is not what makes rows the same today "
            + $"({(draft.Source.Engine.Folding == RowFolding.None ? "nothing does" : draft.Source.SortingKey)}): of {all} rows, {all - kept} would be folded away.");
    }

    private static string Or(string key) => key.Length == 0 ? "1" : key;
}
