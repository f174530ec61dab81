using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Hooks;

/// <summary>Makes the writers of a table pause, and lets them go on. Each call is in the journal, and may be repeated.</summary>
internal sealed class WriterPause(StepContext context, QualifiedName table, WriterHooks hooks)
{
    /// <summary>Makes them pause.</summary>
    /// <exception cref="HookException">They may not. The message is a sentence.</exception>
    public async Task PauseAsync(CancellationToken ct)
    {
        try
        {
            await CallAsync("pause", hooks.Pause, ct);
        }
        catch (HookException e)
        {
            throw new HookException($"The writers of {table} could not be paused: {Shown(hooks.Pause)}: {e.Message.TrimEnd('.')}.", e);
        }
    }

    /// <summary>Lets them go on. It is not cancelled.</summary>
    /// <exception cref="StepFailedException">They may stand still.</exception>
    public async Task ResumeAsync()
    {
        try
        {
            await CallAsync("resume", hooks.Resume, CancellationToken.None);
        }
        catch (StoreException)
        {
            // The writers do not stand still with the journal: the hook comes to the same a second time.
            await SendAsync("resume", hooks.Resume, context.Services.NewQueryId(context.Step.Index), CancellationToken.None);
            throw;
        }
        catch (HookException e)
        {
            throw new StepFailedException($"The writers of {table} could not be told to go on: {Shown(hooks.Resume)}: {e.Message.TrimEnd('.')}. Until they are, they may stand still: mend that and `resume`, or let them go on by hand.", e);
        }
    }

    private async Task CallAsync(string action, string written, CancellationToken ct)
    {
        var queryId = context.Services.NewQueryId(context.Step.Index);
        await context.Journal.IntentAsync($"{action}-hook", new { queryId, hook = Shown(written) });
        await SendAsync(action, written, queryId, ct);
        await context.Journal.OutcomeAsync($"{action}-hook", new { queryId });
    }

    private async Task SendAsync(string action, string written, string queryId, CancellationToken ct)
    {
        var call = new HookCall(action, table, context.Services.Plan.RunId, queryId, context.Gateway, context.Services.Hooks);
        using var limit = new CancellationTokenSource(hooks.Timeout, context.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await Hook.Of(written).CallAsync(call, either.Token);
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new HookException($"it was not done within {Plain.Time(hooks.Timeout)}", e);
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            throw new HookException(e.ServerMessage, e);
        }
    }

    private static string Shown(string hook) => Hook.Of(hook).Shown;
}
