using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>The hidden table of a materialized view is found by its UUID, so another table would not take its place.</summary>
internal sealed class InnerTableCheck : IRebuildCheck
{
    public string Name => "inner-table";

    public Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct) => Task.FromResult<CheckResult?>(
        draft.Source.Name.Table.StartsWith(".inner", StringComparison.Ordinal)
            ? this.Refuse(
                $"{draft.Source.Name} is the hidden table of a materialized view, which would go on writing to the old one. "
                + "Recreate the view with TO and a table of its own, then rebuild that table.")
            : null);
}
