using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>A TTL with GROUP BY folds rows in merges, and no position tells.</summary>
internal sealed class TtlGroupByCheck : IRebuildCheck
{
    public string Name => "ttl-group-by";

    public Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        var ttl = draft.Source.Definition.Ttl ?? string.Empty;
        var groups = SqlText.Tokens(ttl).Any(t => t.Depth == 0 && t.IsWord(ttl, "GROUP"));
        return Task.FromResult<CheckResult?>(groups && draft.Way != RebuildWay.Alter
            ? this.Refuse(
                $"{draft.Source.Name} has a TTL with GROUP BY, which turns rows into other rows at any merge. "
                + $"Remove it for the rebuild (ALTER TABLE {draft.Source.Name.ToSql()} REMOVE TTL) and give it to the new table with --ttl.")
            : null);
    }
}
