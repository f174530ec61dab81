using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>Whether a message becomes the same row whoever stores it: see <see cref="ConsumerComparison"/>.</summary>
internal sealed class RowValuesCheck : IRebuildCheck
{
    public string Name => "row-values";

    public Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct) => Task.FromResult(
        draft.Second is not null && draft.Request.Accept.Contains(Name, StringComparer.Ordinal)
            ? this.Warn("Rows of the two consumers are compared by their identity alone: other values may differ (accepted).")
            : null);
}
