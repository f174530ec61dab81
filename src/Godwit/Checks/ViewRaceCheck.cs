using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>Views must see every insert that meets the exchange: see <see cref="ViewWitness"/>.</summary>
internal sealed class ViewRaceCheck : IRebuildCheck
{
    public string Name => "view-race";

    public async Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        if (draft.Way == RebuildWay.Alter || draft.Request.Strategy == "static")
        {
            return null;
        }

        var table = draft.Source.Name;
        var views = await FedView.FindAsync(draft.Gateway, table, ct);
        if (views.Count == 0)
        {
            return null;
        }

        if (draft.Source.Engine.MakesRows || draft.TargetEngine.MakesRows)
        {
            return this.RefuseUnlessAccepted(
                draft,
                $"The materialized view {views[0].Name} would miss inserts that meet the exchange of the names, and they cannot be fed to it afterwards, because {table} folds rows when "
                + "it stores them. Use --defer-cutover and pause the writers for the cutover, or DETACH the view meanwhile.");
        }

        return views.FirstOrDefault(v => v.Over(table, table) is null) is { } odd
            ? this.RefuseUnlessAccepted(
                draft,
                $"The materialized view {odd.Name} does not read {table} directly, so Godwit cannot feed it with inserts that meet the exchange of the names. "
                + "Write the view as SELECT … FROM the table, or DETACH it meanwhile.")
            : this.Ok($"{views.Count} materialized view(s) read {table}: what they miss at the exchange is fed to them.");
    }
}
