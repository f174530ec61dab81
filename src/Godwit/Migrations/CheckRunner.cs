using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Migrations;

/// <summary>Asks the checks of a migration.</summary>
internal static class CheckRunner
{
    /// <summary>All checks of these scopes, in the order of the definition; all are asked, whatever the first one says.</summary>
    public static async Task<IReadOnlyList<CheckResult>> AskAsync(RunningMigration migration, CancellationToken ct, params CheckScope[] scopes)
    {
        List<CheckResult> results = [];
        foreach (var check in migration.Definition.Checks.Where(c => Array.IndexOf(scopes, c.Scope) >= 0))
        {
            results.Add(await GuardAsync(check.Name, async () =>
            {
                var answer = await check.AskAsync(migration.Context, ct);
                return new CheckResult(check.Name, answer.Verdict, answer.Message);
            }, ct));
        }

        return results;
    }

    /// <summary>Whether the instance needs the migration; one that cannot say counts as needed.</summary>
    public static async Task<Requirement> RequirementAsync(RunningMigration migration, CancellationToken ct)
    {
        Requirement? requirement = null;
        var asked = await GuardAsync("required", async () =>
        {
            requirement = await migration.Definition.IsRequiredAsync(migration.Context, ct);
            return new CheckResult("required", CheckVerdict.Ok, requirement.Why);
        }, ct);
        return requirement ?? new Requirement(true, asked.Message) { IsKnown = false };
    }

    /// <summary>The sentences of what blocks; null when nothing does.</summary>
    public static string? Refusal(IEnumerable<CheckResult> results)
    {
        var blocking = results.Where(r => r.Blocks).Select(r => r.Message).ToList();
        return blocking.Count == 0 ? null : string.Join(' ', blocking);
    }

    [SuppressMessage("Design", "CA1031", Justification = "A check is code of somebody else: whatever it throws, the question stays unanswered, and that blocks.")]
    private static async Task<CheckResult> GuardAsync(string name, Func<Task<CheckResult>> ask, CancellationToken ct)
    {
        try
        {
            return await ask();
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            var reason = e switch
            {
                ClickHouseException { ServerMessage.Length: > 0 } refused => refused.ServerMessage,
                ClickHouseException or DbException => e.Message,
                _ => $"{e.GetType().Name}: {e.Message}",
            };
            return new CheckResult(name, CheckVerdict.Unreadable, $"The check {name} could not read what it needs: {reason}");
        }
    }
}
