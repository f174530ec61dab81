using System.Runtime.ExceptionServices;
using Godwit.ClickHouse;
using Godwit.Hooks;
using Godwit.Metadata;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>Lets go on what <see cref="FeedHold"/> holds, also what a process that died has held.</summary>
internal sealed class FeedRelease(StepContext context, RebuildSpec spec)
{
    // What a broker that is there needs at most to say so, also when the budget is used up.
    private static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(2);

    /// <summary>Puts all of it back, however a part of that ends. It is not cancelled.</summary>
    /// <returns>What the journal is to say of it now.</returns>
    /// <exception cref="StepFailedException">Some of it could not be put back.</exception>
    public async Task<HoldFact> PutBackAsync(HoldFact hold)
    {
        List<Exception> failures = [];

        // A DETACH whose answer was lost may still be under way, or the statement of a hook. A server that is away keeps no other writers waiting.
        await AttemptAsync(() => LongStatement.KillOwnAsync(context, CancellationToken.None));
        if (hold.IsHooked && spec.Hooks is { } hooks)
        {
            await AttemptAsync(async () =>
            {
                await new WriterPause(context, spec.Source, hooks).ResumeAsync();
                hold = hold with { IsHooked = false };
                await context.Journal.FactAsync(FeedHold.Fact, hold);
            });
        }

        RequireServer();

        // Writers that are not Kafka have been let go on: they are not kept waiting for its brokers, and no Kafka table for those of another one.
        await Task.WhenAll(hold.Tables.Select(table => AttemptAsync(() => PutBackAsync(hold, table))));

        RequireServer();
        if (failures.Find(f => f is StoreException) is { } lost)
        {
            ExceptionDispatchInfo.Throw(lost);
        }

        if (failures.Count > 0)
        {
            throw new StepFailedException(string.Join(' ', failures.Select(f => f.Message)), failures[0]);
        }

        return hold;

        // A server that is away or overloaded is waited for, and then what is left is done.
        void RequireServer()
        {
            if (failures.Find(f => f is ClickHouseException) is { } away)
            {
                ExceptionDispatchInfo.Throw(away);
            }
        }

        // Whatever it is must not keep the rest from being put back, unless another process does that now.
        async Task AttemptAsync(Func<Task> put)
        {
            try
            {
                await put();
            }
            catch (Exception e) when (e is not (LeaseLostException or OutOfMemoryException))
            {
                lock (failures)
                {
                    failures.Add(e);
                }
            }
        }
    }

    private async Task PutBackAsync(HoldFact hold, QualifiedName table)
    {
        var problem = await AwaitBrokersAsync(hold, table);
        await AttachAsync(table);
        if (problem is not null)
        {
            await context.Services.NoteAsync(
                context.Step.Index,
                $"Kafka did not answer when {table} was attached again ({problem.TrimEnd('.')}). Such a table may never read again: when Kafka is back and its `assignments.topic` in system.kafka_consumers stays empty, DETACH and ATTACH it once.");
        }
    }

    private async Task<string?> AwaitBrokersAsync(HoldFact hold, QualifiedName table)
    {
        var left = hold.Since + context.Options.PauseBudget - context.Clock.GetUtcNow();
        using var limit = new CancellationTokenSource(left > LeastTime ? left : LeastTime, context.Clock);
        string? problem = null;
        foreach (var queue in hold.Queues.Where(q => q.Table == table))
        {
            problem = await queue.AwaitAsync(context, limit.Token) ?? problem;
        }

        return problem;
    }

    private async Task AttachAsync(QualifiedName table)
    {
        try
        {
            if (await TableReader.FindEngineAsync(context.Gateway, table, CancellationToken.None) is null)
            {
                await context.ChangeAsync("release", CancellationToken.None, $"ATTACH TABLE {table.ToSql()}");
            }
        }
        catch (StoreException)
        {
            // The feed does not stay away with the journal: to attach a table comes to the same a second time. The run ends with what is wrong with the store.
            await context.Gateway.ExecuteAsync($"ATTACH TABLE IF NOT EXISTS {table.ToSql()}");
            throw;
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException && !e.IsTransient)
        {
            throw new StepFailedException($"{table} was detached to hold the feed of {spec.Source} and could not be attached again: {e.ServerMessage} Until it is, nothing is read from Kafka: mend that and `resume`, or ATTACH it by hand.", e);
        }
    }
}
