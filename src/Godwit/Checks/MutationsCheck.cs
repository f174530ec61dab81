using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>A running mutation changes rows in place while they are copied.</summary>
internal sealed class MutationsCheck : IRebuildCheck
{
    public string Name => "mutations";

    public async Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        // Servers before 19.5 do not tell why one fails.
        var reason = (await Known.ColumnsAsync(draft.Gateway, ["mutations"], null, ct)).Contains("mutations.latest_fail_reason") ? "latest_fail_reason" : "'' AS latest_fail_reason";
        var running = await draft.Gateway.QueryAsync(
            $"SELECT mutation_id, command, {reason} FROM system.mutations WHERE {TableReader.Where(draft.Source.Name, "table")} AND NOT is_done ORDER BY create_time",
            ct: ct);
        return running.Count == 0
            ? this.Ok("No mutation is running.")
            : this.Refuse(
                $"{running.Count} mutation(s) of {draft.Source.Name} are running, such as {running[0]["mutation_id"]}: {running[0]["command"]}. "
                + (running[0]["latest_fail_reason"].Length > 0 ? $"It fails ({running[0]["latest_fail_reason"]}): " : "Wait until system.mutations says is_done, or ")
                + $"KILL MUTATION WHERE mutation_id = '{running[0]["mutation_id"]}'.");
    }
}
