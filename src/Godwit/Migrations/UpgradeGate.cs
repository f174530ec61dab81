using Godwit.Runs;

namespace Godwit.Migrations;

/// <summary>Whether the application may be upgraded.</summary>
/// <param name="Blocks">Whether the upgrade must wait; false when the setting blockUpgrade is off.</param>
/// <param name="Reasons">What it would have to wait for, one sentence each.</param>
public sealed record UpgradeGate(bool Blocks, IReadOnlyList<string> Reasons)
{
    /// <summary>What an upgrade to a version would have to wait for: runs under way, and migrations that must be done by then.</summary>
    internal static async Task<IReadOnlyList<string>> ReasonsAsync(RunHost host, string version, CancellationToken ct)
    {
        var runs = (await host.Store.ListRunsAsync(ct)).Where(r => r.Instance == host.Gateway.Name && (RunTransitions.IsActive(r.State) || r.State is RunState.Failed or RunState.NeedsOperator));
        var due = (await new MigrationLedger(host).ListAsync(ct)).Where(m => m is { IsDone: false, IsRequired: true, IsOrphaned: false } && IsDue(host.Migrations.Find(m.Name)!, version));
        return
        [
            .. runs.Select(r => $"Run {r.RunId} on {r.Subject} is {r.State}: bring it to an end first, `godwit status {r.RunId}`."),
            .. due.Select(m => $"{m.Name} must be done by {host.Migrations.Find(m.Name)!.Versions.MustBeDoneBy} and is {m.State}: `godwit migrations run {m.Name}` with the present version of the application."),
        ];
    }

    private static bool IsDue(Migration definition, string version) =>
        definition.Versions.MustBeDoneBy is { } by && VersionRange.Compare(version, by) >= 0;
}
