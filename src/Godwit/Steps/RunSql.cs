using Godwit.ClickHouse;
using Godwit.Operations;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>What a step of SQL sends.</summary>
/// <param name="Forward">What does it.</param>
/// <param name="Undo">What undoes it; null for nothing.</param>
internal sealed record SqlArguments(SqlStatements Forward, SqlStatements? Undo);

/// <summary>Sends statements that somebody else has written, so that nothing is known of them but what they say.</summary>
internal sealed class RunSql : IStep
{
    public const string Name = "sql";

    public string Kind => Name;

    public Task ForwardAsync(StepContext context, CancellationToken ct) => SendAllAsync(context, "forward", context.Arguments<SqlArguments>().Forward, ct);

    public Task PrepareUndoAsync(StepContext context, CancellationToken ct) => context.Shared<SqlSpec>().Irreversible && HasBegun(context)
        ? throw new StepFailedException($"There is no way back from \"{context.Step.Description}\": its author has marked it irreversible. `resume` goes on.")
        : Task.CompletedTask;

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        await LongStatement.KillOwnAsync(context, ct);
        if (HasBegun(context) && context.Arguments<SqlArguments>().Undo is { } undo)
        {
            await SendAllAsync(context, "undo", undo, ct);
        }
    }

    private static bool HasBegun(StepContext context) => context.Journal.IsOpen("forward/0") || context.Journal.IsDone("forward/0");

    private static async Task SendAllAsync(StepContext context, string direction, SqlStatements sql, CancellationToken ct)
    {
        for (var i = 0; i < sql.Statements.Count; i++)
        {
            var name = $"{direction}/{i}";
            if (!context.Journal.IsDone(name) && (!context.Journal.IsOpen(name) || !await HadItsEffectAsync(context, name, sql.Statements[i], sql, ct)))
            {
                await SendAsync(context, name, sql.Statements[i], sql, ct);
            }
        }
    }

    private static async Task SendAsync(StepContext context, string name, string statement, SqlStatements sql, CancellationToken ct)
    {
        var queryId = $"{Prefix(context, name)}{Guid.NewGuid():N}";
        await context.Journal.IntentAsync(name, new { queryId, statement });
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(sql.Timeout ?? Timeout.InfiniteTimeSpan);
        try
        {
            await LongStatement.RunAsync(context, statement, sql.Settings, _ => { }, limit.Token, queryId);
        }
        catch (ClickHouseException e) when (e.NeverRan() || StatementKind.IsAllOrNothing(statement))
        {
            await context.Journal.WithdrawAsync(name, new { queryId, e.Message });
            throw;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new StepFailedException($"\"{context.Step.Description}\" took longer than its timeout of {sql.Timeout}, and was ended. Allow it more, or find out what it waits for; then `resume`.");
        }

        await context.Journal.OutcomeAsync(name, new { queryId });
    }

    /// <summary>Finds out what became of a statement that was cut off; false when it can be sent (again).</summary>
    private static async Task<bool> HadItsEffectAsync(StepContext context, string name, string statement, SqlStatements sql, CancellationToken ct)
    {
        await LongStatement.KillOwnAsync(context, ct);
        switch (await QueryLog.FindEndAsync(context.Gateway, Prefix(context, name), ct))
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
                    $"Statement {name} of \"{context.Step.Description}\" was cut off, and whether it had its effect cannot be told: {statement} "
                    + "Look at the tables, and do by hand what is missing. Then `resume` goes on after it.")
                {
                    OnTold = () => context.Journal.OutcomeAsync(name, new { foundBy = "operator" }),
                };
        }
    }

    private static string Prefix(StepContext context, string name) =>
        $"{context.Services.QueryPrefix}{context.Step.Index}-{name.Replace('/', '-')}-";
}
