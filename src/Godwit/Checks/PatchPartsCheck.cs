using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>Patch parts of lightweight updates change rows that the block log says are old.</summary>
internal sealed class PatchPartsCheck : IRebuildCheck
{
    public string Name => "patch-parts";

    public async Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        var parts = await draft.Gateway.ScalarAsync<long>(
            $"SELECT count() FROM system.parts WHERE {TableReader.Where(draft.Source.Name, "table")} AND active AND startsWith(name, 'patch-')", ct: ct);
        return parts == 0
            ? null
            : this.Refuse(
                $"{draft.Source.Name} has {parts} patch parts of lightweight updates that are not applied yet. "
                + $"Apply them: ALTER TABLE {draft.Source.Name.ToSql()} APPLY PATCHES; and hold lightweight updates during the rebuild.");
    }
}
