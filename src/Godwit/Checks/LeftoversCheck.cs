using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>Tables that an earlier run left behind, which this state file may know nothing of.</summary>
internal sealed class LeftoversCheck : IRebuildCheck
{
    public const string CheckName = "leftovers";

    public string Name => CheckName;

    public async Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        var prefix = Sql.Literal(RebuildSpec.StagingName(draft.Source.Name, "").Table);
        var tables = await draft.Gateway.QueryAsync(
            $"""
             SELECT name FROM system.tables WHERE database = {Sql.Literal(draft.Source.Name.Database)} AND startsWith(name, {prefix})
                 AND match(substring(name, length({prefix}) + 1), '^[a-z0-9]{"{8}"}(_r|{HelperTables.Suffix})?$') ORDER BY name
             """,
            ct: ct);
        if (tables.Count == 0)
        {
            return this.Ok("No table of an earlier run is left.");
        }

        var names = string.Join(", ", tables.Take(3).Select(t => $"{draft.Source.Name.Database}.{t["name"]}")) + (tables.Count > 3 ? ", …" : "");
        return this.Refuse(
            $"An earlier run on {draft.Source.Name} has left {tables.Count} table(s): {names}. If its state file is at hand, `godwit rollback` or "
            + "`godwit cleanup` that run; otherwise look what they hold (one may be the table as it was) and DROP them.");
    }
}
