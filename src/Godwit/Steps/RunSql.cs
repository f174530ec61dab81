using System.Text.Json;
using Godwit.ClickHouse;
using Godwit.Operations;
using Godwit.Plans;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>What a step of SQL sends.</summary>
/// <param name="Forward">What does it.</param>
/// <param name="Undo">What undoes it; null for nothing.</param>
internal sealed record SqlArguments(SqlStatements Forward, SqlStatements? Undo);

/// <summary>What is journaled before a statement is sent.</summary>
/// <param name="QueryId">Its id.</param>
/// <param name="Statement">Its text.</param>
/// <param name="Log">The server's log at that moment.</param>
internal sealed record SqlIntent(string QueryId, string Statement, QueryLogMark Log);

/// <summary>Sends statements that somebody else has written, so that nothing is known of them but what they say.</summary>
internal sealed class RunSql : IStep
{
    public const string Name = "sql";

    public string Kind => Name;

    /// <summary>Whether a step has a statement that must not be sent twice, so that the log is asked what became of it.</summary>
    public static bool MayNeedLog(PlannedStep step)
    {
        var forward = step.Arguments.Deserialize<SqlArguments>(PlanFormat.Json)!.Forward;
        return forward.Statements.Any(s => !(forward.Repeatable ?? StatementKind.IsRepeatable(s)));
    }

    public Task ForwardAsync(StepContext context, CancellationToken ct) => SendAllAsync(context, "forward", context.Arguments<SqlArguments>().Forward, ct);

    public async Task PrepareUndoAsync(StepContext context, CancellationToken ct)
    {
        if (context.Shared<PlainSpec>().Irreversible && await HasBegunAsync(context, ct))
        {
            throw new StepFailedException(WayBack.Refusal(context.Step.Description));
        }
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        if (await HasBegunAsync(context, ct) && context.Arguments<SqlArguments>().Undo is { } undo)
        {
            await SendAllAsync(context, "undo", undo, ct);
        }
    }

    // What may have happened counts as begun; only what certainly has not does not.
    private static async Task<bool> HasBegunAsync(StepContext context, CancellationToken ct)
    {
        await LongStatement.KillOwnAsync(context, ct);
        return context.Journal.IsDone("forward/0")
            || (context.Journal.FindOpen<SqlIntent>("forward/0") is { } cutOff && await QueryLog.FindEndAsync(context.Gateway, cutOff.QueryId, cutOff.Log, ct) != QueryEnd.NeverBegan);
    }

    private static async Task SendAllAsync(StepContext context, string direction, SqlStatements sql, CancellationToken ct)
    {
        for (var i = 0; i < sql.Statements.Count; i++)
        {
            var name = $"{direction}/{i}";
            var cutOff = context.Journal.FindOpen<SqlIntent>(name);
            if (!context.Journal.IsDone(name) && (cutOff is null || !await HadItsEffectAsync(context, name, cutOff, sql, ct)))
            {
                await SendAsync(context, name, sql.Statements[i], sql, ct);
            }
        }
    }

    private static async Task SendAsync(StepContext context, string name, string statement, SqlStatements sql, CancellationToken ct)
    {
        var queryId = context.Services.NewQueryId(context.Step.Index);
        var (mark, settings) = await QueryLog.MarkAsync(context.Gateway, ct);

        // One that changes what is logged of it may be missing in the log though it ran.
        mark = statement.Contains("log_quer", StringComparison.OrdinalIgnoreCase) ? new QueryLogMark((long?)null) : mark;
        await context.Journal.IntentAsync(name, new SqlIntent(queryId, statement, mark));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(sql.Timeout ?? context.Options.StatementTimeout ?? Timeout.InfiniteTimeSpan);
        try
        {
            await LongStatement.RunAsync(context, statement, With(sql.Settings, settings), _ => { }, limit.Token, queryId);
        }
        catch (ClickHouseException e) when (e.HadNoEffect(StatementKind.IsAllOrNothing(statement)))
        {
            await context.Journal.WithdrawAsync(name, new { queryId, e.Message });
            throw;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new StepFailedException($"\"{context.Step.Description}\" took longer than its timeout of {sql.Timeout ?? context.Options.StatementTimeout}, and was ended. Allow it more, or find out what it waits for; then `resume`.");
        }

        await context.Journal.OutcomeAsync(name, new { queryId });
    }

    /// <summary>Finds out what became of a statement that was cut off; false when it can be sent (again).</summary>
    private static async Task<bool> HadItsEffectAsync(StepContext context, string name, SqlIntent cutOff, SqlStatements sql, CancellationToken ct)
    {
        // It may still be at work, and its owner dead: what it has done is not thrown away.
        await LongStatement.WaitUntilGoneAsync(context, cutOff.QueryId, ct);
        var statement = cutOff.Statement;
        switch (await QueryLog.FindEndAsync(context.Gateway, cutOff.QueryId, cutOff.Log, ct))
        {
            case QueryEnd.Finished:
                await context.Journal.OutcomeAsync(name, new { foundIn = "query_log" });
                return true;
            case QueryEnd.NeverBegan:
            case QueryEnd.Failed when StatementKind.IsAllOrNothing(statement):
            case var _ when sql.Repeatable ?? StatementKind.IsRepeatable(statement):
                return false;
            default:
                throw new NeedsOperatorException(
                    $"Statement {name} of \"{context.Step.Description}\" was cut off, and whether it had its effect cannot be told: {SecretMask.Apply(statement)} "
                    + "Look at the tables, and do by hand what is missing. Then `resume` goes on after it.")
                {
                    OnTold = () => context.Journal.OutcomeAsync(name, new { foundBy = "operator" }),
                };
        }
    }

    // What is needed to find the statement in the log afterwards is not the author's to say.
    private static Dictionary<string, string> With(IReadOnlyDictionary<string, string> authors, IReadOnlyDictionary<string, string> settings) =>
        authors.Concat(settings).GroupBy(s => s.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Last().Value, StringComparer.Ordinal);
}
