using Godwit.ClickHouse;

namespace Godwit.Runs;

/// <summary>
/// Runs a statement that may take hours. The connection is not trusted: the statement is watched through system.processes by its
/// own query id, and when the answer is lost the caller is told so, after the statement has ended on the server.
/// </summary>
internal static class LongStatement
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);
    private const int MostPollsWithoutIt = 60;

    /// <summary>Runs it to its end. A <see cref="ClickHouseException"/> is the statement's own failure, and nothing else is.</summary>
    /// <param name="context">The step that sends it.</param>
    /// <param name="sql">The statement.</param>
    /// <param name="settings">Settings of the statement.</param>
    /// <param name="onRows">Is given the rows written so far.</param>
    /// <param name="ct">Kills it on the server and waits until it is gone.</param>
    /// <param name="queryId">Its id, when the caller must know it; made up otherwise.</param>
    /// <exception cref="OutcomeUnknownException">The answer was lost. The statement is no longer running, unless the server could not be asked.</exception>
    public static async Task RunAsync(
        StepContext context, string sql, IReadOnlyDictionary<string, string> settings, Action<long> onRows, CancellationToken ct, string? queryId = null)
    {
        queryId ??= context.Services.NewQueryId(context.Step.Index);
        var options = new QueryOptions { QueryId = queryId, Settings = settings, Timeout = Timeout.InfiniteTimeSpan };
        context.Board.CurrentQueryId = queryId;
        // The caller's token is not given to the request: a closed connection does not end an INSERT, only KILL does.
        using var request = new CancellationTokenSource();
        var statement = context.Gateway.ExecuteAsync(sql, options, request.Token);
        try
        {
            await WatchAsync(context, statement, queryId, onRows, ct);
            await statement;
        }
        catch (ClickHouseUnreachableException e) when (e.MayHaveRun)
        {
            await AskedAsync(context, e, () => WaitUntilGoneAsync(context, queryId, ct));
            throw new OutcomeUnknownException($"The answer to a statement on {context.Gateway.Name} was lost.", e);
        }
        catch (OperationCanceledException e) when (ct.IsCancellationRequested)
        {
            await AskedAsync(context, e, () => KillAsync(context.Gateway, $"query_id = {Sql.Literal(queryId)}", CancellationToken.None));
            throw;
        }
        finally
        {
            context.Board.CurrentQueryId = null;
            await LetGoAsync(statement, request);
        }
    }

    /// <summary>Returns when the statement has ended, or the server does not know it any more.</summary>
    private static async Task WatchAsync(StepContext context, Task statement, string queryId, Action<long> onRows, CancellationToken ct)
    {
        for (var gone = 0; !statement.IsCompleted;)
        {
            await Task.WhenAny(statement, Task.Delay(Period, context.Clock, ct));
            ct.ThrowIfCancellationRequested();
            if (!statement.IsCompleted)
            {
                gone = await IsRunningAsync(context, queryId, onRows, ct) ? 0 : gone + 1;
            }

            // A connection that died silently would be waited on for ever.
            if (gone > MostPollsWithoutIt)
            {
                throw new OutcomeUnknownException($"A statement ended on {context.Gateway.Name}, and its answer never came.");
            }
        }
    }

    /// <summary>Asks the server about a statement of which no more is known; what goes wrong with that says nothing of the statement.</summary>
    private static async Task AskedAsync(StepContext context, Exception cause, Func<Task> askAsync)
    {
        try
        {
            await askAsync();
        }
        catch (ClickHouseException e)
        {
            throw new OutcomeUnknownException($"A statement may still be running on {context.Gateway.Name}, which could not be asked: {e.Message}", cause);
        }
    }

    /// <summary>Gives up the request of a statement that has ended on the server, or that nobody can ask after. Its answer is of no use any more.</summary>
    private static async Task LetGoAsync(Task statement, CancellationTokenSource request)
    {
        await request.CancelAsync();
        try
        {
            await statement;
        }
        catch (ClickHouseException)
        {
            // The caller has it, or has asked for it by a KILL.
        }
        catch (OperationCanceledException)
        {
            // It was given up just now.
        }
    }

    /// <summary>Kills what earlier attempts of a step may have left running, and waits until it is gone.</summary>
    public static Task KillOwnAsync(StepContext context, CancellationToken ct) =>
        KillAsync(context.Gateway, $"startsWith(query_id, {Sql.Literal($"{context.Services.QueryPrefix}{context.Step.Index}-")})", ct);

    /// <summary>Kills statements by a condition on system.processes and waits until they are gone.</summary>
    public static async Task KillAsync(ClickHouseGateway gateway, string condition, CancellationToken ct)
    {
        await gateway.ExecuteAsync($"KILL QUERY WHERE {condition} SYNC", ct: ct);
        while (await CountAsync(gateway, condition, ct) > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), ct);
        }
    }

    private static async Task<bool> IsRunningAsync(StepContext context, string queryId, Action<long> onRows, CancellationToken ct)
    {
        try
        {
            var rows = await context.Gateway.QueryAsync(
                $"SELECT greatest(written_rows, read_rows) AS done FROM system.processes WHERE query_id = {Sql.Literal(queryId)}", ct: ct);
            if (rows.Count > 0)
            {
                onRows(rows[0].Int64("done"));
            }

            return rows.Count > 0;
        }
        catch (ClickHouseException)
        {
            // Only the figures are missing for half a second; the statement's own task says how it fares.
            context.Board.Activity = $"waiting for {context.Gateway.Name}";
            return true;
        }
    }

    /// <summary>Waits for a statement to end by itself, whoever sent it.</summary>
    public static async Task WaitUntilGoneAsync(StepContext context, string queryId, CancellationToken ct)
    {
        while (await CountAsync(context.Gateway, $"query_id = {Sql.Literal(queryId)}", ct) > 0)
        {
            await Task.Delay(Period, context.Clock, ct);
        }
    }

    private static Task<long> CountAsync(ClickHouseGateway gateway, string condition, CancellationToken ct) =>
        gateway.ScalarAsync<long>($"SELECT count() FROM system.processes WHERE {condition}", ct: ct);
}

/// <summary>The answer to a statement was lost, so whether it had an effect must be found out from the server.</summary>
public sealed class OutcomeUnknownException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>An outcome cannot be established by asking the server: a person must look before anything else is sent.</summary>
/// <param name="message">What happened, to what, and what to do.</param>
public sealed class NeedsOperatorException(string message) : Exception(message)
{
    /// <summary>Called once the message is stored: keeps in the journal that it was told, so that the run can go on without asking again.</summary>
    internal Func<Task>? OnTold { get; init; }
}

/// <summary>A step refuses to go on because what it found would make the result wrong.</summary>
public sealed class StepFailedException(string message, Exception? inner = null) : Exception(message, inner);
