using Godwit.ClickHouse;
using Godwit.Hooks;
using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>A hook that the server cannot even read would show that after the whole copy. Nothing is called: what it does is for the cutover alone.</summary>
internal sealed class PauseHooksCheck : IRebuildCheck
{
    public string Name => "pause-hooks";

    public async Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        List<string> problems = [];
        foreach (var (option, written) in new[] { ("--pause-hook", draft.Request.PauseHook), ("--resume-hook", draft.Request.ResumeHook) })
        {
            if (written is not null && Hook.Of(written) is SqlHook sql && await ProblemAsync(draft.Gateway, sql.Statement, ct) is { } problem)
            {
                problems.Add($"{option} is no statement that the server understands: {problem}");
            }
        }

        return problems.Count > 0 ? this.Refuse(string.Join(' ', problems)) : null;
    }

    private static async Task<string?> ProblemAsync(ClickHouseGateway gateway, string statement, CancellationToken ct)
    {
        try
        {
            await gateway.ScalarAsync<string>($"SELECT formatQuery({Sql.Literal(statement)})", ct: ct);
            return null;
        }
        catch (ClickHouseException e) when (e.Code == ClickHouseErrorCodes.UnknownFunction)
        {
            // An old server has no such function, and shows at the cutover what it thinks of the statement.
            return null;
        }
        catch (ClickHouseException e) when (e.Code == ClickHouseErrorCodes.SyntaxError)
        {
            // What follows tells of our own question.
            return SecretMask.Apply(e.ServerMessage.Split(": In scope ", 2)[0]);
        }
    }
}
