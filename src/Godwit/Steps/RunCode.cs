using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Operations;
using Godwit.Plans;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Calls code of the migration.</summary>
internal sealed class RunCode : IStep
{
    public const string Name = "code";

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        await LongStatement.KillOwnAsync(context, ct);
        await CallAsync(context, Code(context).ForwardAsync, ct);
    }

    public Task PrepareUndoAsync(StepContext context, CancellationToken ct)
    {
        if (context.Shared<CodeSpec>().Irreversible)
        {
            throw new StepFailedException(WayBack.Refusal(context.Step.Description));
        }

        // Before anything is undone: its own undo is code, too.
        _ = Code(context);
        return Task.CompletedTask;
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        await LongStatement.KillOwnAsync(context, ct);
        await (Code(context).UndoAsync is { } undo ? CallAsync(context, undo, ct) : Task.CompletedTask);
    }

    // It may throw what it likes: the run fails with it, and says so.
    private static async Task CallAsync(StepContext context, Func<CodeContext, CancellationToken, Task> code, CancellationToken ct)
    {
        try
        {
            await code(new CodeContext(context, context.Services.Migration!.Context), ct);
        }
        catch (Exception e) when (ct.IsCancellationRequested && !IsOurs(e) && e is not OperationCanceledException)
        {
            // It was told to end, and ended in its own way.
            throw new OperationCanceledException("The code was cancelled.", e, ct);
        }
        catch (Exception e) when (!ct.IsCancellationRequested && !IsOurs(e))
        {
            throw new StepFailedException(
                $"The code {context.Shared<CodeSpec>().Code} of {context.Services.Plan.Migration} failed with {e.GetType().Name}: {e.Message} Mend the cause, then `resume`: it goes on from its checkpoint; or `rollback`.", e);
        }
    }

    private static bool IsOurs(Exception e) => e is ClickHouseException or OutcomeUnknownException or NeedsOperatorException or StepFailedException
        or StoreException or StoredFormatException or LeaseLostException;

    private static MigrationCode Code(StepContext context)
    {
        var name = context.Shared<CodeSpec>().Code;
        return context.Services.Migration?.Definition.Code.FirstOrDefault(c => c.Name == name)
            ?? throw new StepFailedException(
                $"The migration {context.Services.Plan.Migration} of this Godwit has no code {name}. Load the definition that this run was started with, then do that again.");
    }
}
