using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>Views must see every insert that meets the exchange: see <see cref="ViewTwins"/>.</summary>
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
        var views = await ViewTwins.FindAsync(draft.Gateway, table, ct);
        return (views.Count, views.FirstOrDefault(v => ViewTwins.Redirect(v.Select, table, table) is null)) switch
        {
            (0, _) => null,
            (_, null) => this.Warn(
                $"{views.Count} materialized views read {table}, such as {views[0].Name}. An insert that the server begins in the few milliseconds of the exchange "
                + "reaches the table but may miss a view: ClickHouse takes the views off a table while it renames it. Where that matters, pause the writers for the cutover (--defer-cutover)."),
            (_, var odd) => this.RefuseUnlessAccepted(
                draft,
                $"The materialized view {odd.Name} does not read {table} directly, so it cannot be doubled for the exchange: "
                + "every insert that has begun then and not yet looked for its views would miss it. Write the view as SELECT … FROM the table, or DETACH it meanwhile."),
        };
    }
}
