using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>Views must see every insert that meets the exchange: see <see cref="ViewWitness"/>.</summary>
internal sealed class ViewRaceCheck : IRebuildCheck
{
    public string Name => "view-race";

    public async Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        if (draft.Way == RebuildWay.Alter || draft.IsWhole || draft.Request.Strategy == "static")
        {
            return null;
        }

        var table = draft.Source.Name;
        var views = await FedView.FindAsync(draft.Gateway, table, ct);
        if (views.Count == 0)
        {
            return null;
        }

        if (!ViewWitness.IsPossible(draft.Source.Engine, draft.TargetEngine, draft.Mapping))
        {
            return this.RefuseUnlessAccepted(
                draft,
                $"The materialized view {views[0].Name} would miss inserts that meet the exchange of the names, and they cannot be fed to it afterwards, because {table} does not keep "
                + "rows as they were inserted. Use --defer-cutover and pause the writers for the cutover, or DETACH the view meanwhile.");
        }

        foreach (var view in views)
        {
            if (await view.ObstacleAsync(draft.Gateway, table, ct) is { } obstacle)
            {
                return this.RefuseUnlessAccepted(
                    draft,
                    $"The materialized view {view.Name} would miss inserts that meet the exchange of the names, and they cannot be fed to it afterwards: {obstacle}. "
                    + "Mend that, or DETACH the view meanwhile.");
            }
        }

        return this.Ok($"{views.Count} materialized view(s) read {table}: what they miss at the exchange is fed to them.");
    }
}
