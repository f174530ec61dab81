using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>Without a version the row that was inserted last wins, and a swept row is inserted later than it was written.</summary>
internal sealed class VersionlessReplacingCheck : IRebuildCheck
{
    public string Name => "versionless-replacing";

    public Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct) => Task.FromResult<CheckResult?>(
        draft.Way != RebuildWay.Alter && !draft.IsWhole && draft.Request.Strategy != "static" && draft.TargetEngine is { Name: "ReplacingMergeTree", Arguments.Count: 0 }
            ? this.RefuseUnlessAccepted(
                draft,
                "ReplacingMergeTree without a version keeps the row that was inserted last. A row of an insert that was under way at the cutover is moved over after it, "
                + "and would win over a newer row of the same key. Name a version column (--engine 'ReplacingMergeTree(version)'), or pause the writers and use --strategy static.")
            : null);
}
