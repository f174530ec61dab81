using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Steps;

namespace Godwit.Runs;

/// <summary>Does the steps of a plan in order, copies of partitions side by side, and undoes them newest first.</summary>
internal sealed class StepSequence(Plan plan, StepRecord[] records, RunServices services, Func<StepRecord, Task> save)
{
    /// <summary>How long a server may be away before the run is called failed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Does every step that is not done.</summary>
    public async Task ForwardAsync(CancellationToken ct)
    {
        for (var i = 0; i < plan.Steps.Count;)
        {
            var end = EndOfGroup(i);
            if (plan.Steps[i].Kind != CopyPartition.Name)
            {
                await DoAsync(plan.Steps[i], ct);
            }
            else
            {
                await DoSideBySideAsync(plan.Steps.Skip(i).Take(end - i), ct);
            }

            i = end;
        }
    }

    /// <summary>Finds out whether every step that was begun can be undone, and does what can be done for it while nothing is lost by it.</summary>
    public async Task PrepareUndoAsync(CancellationToken ct)
    {
        foreach (var step in plan.Steps.Reverse().Where(s => records[s.Index].State is not (StepState.Pending or StepState.Undone)))
        {
            var context = new StepContext(plan, step, services);
            await WithPatienceAsync(() => StepCatalog.Get(step.Kind).PrepareUndoAsync(context, ct), ct);
        }
    }

    /// <summary>Undoes every step that was begun, newest first.</summary>
    public async Task UndoAsync(CancellationToken ct)
    {
        for (var i = plan.Steps.Count - 1; i >= 0; i--)
        {
            if (records[i].State is StepState.Pending or StepState.Undone)
            {
                continue;
            }

            var context = new StepContext(plan, plan.Steps[i], services);
            services.Board.Activity = $"undoing: {plan.Steps[i].Description}";
            await WithPatienceAsync(() => StepCatalog.Get(plan.Steps[i].Kind).UndoAsync(context, ct), ct);
            await KeepAsync(records[i] with { State = StepState.Undone, RowsDone = 0 });
        }
    }

    private int EndOfGroup(int start)
    {
        var end = start + 1;
        while (plan.Steps[start].Kind == CopyPartition.Name && end < plan.Steps.Count && plan.Steps[end].Kind == CopyPartition.Name)
        {
            end++;
        }

        return end;
    }

    // As many lanes as cores, and one step more, which gets ready for the lane that becomes free next. The first failure stops the
    // others; each is awaited, and the first one is thrown.
    private async Task DoSideBySideAsync(IEnumerable<PlannedStep> steps, CancellationToken ct)
    {
        // A server that is away between two steps is waited for as one that goes away during a step.
        var cores = 1;
        await WithPatienceAsync(async () => cores = (await ServerResources.ReadAsync(services.Gateway, services.Options, ct)).Cores, ct);
        using var lanes = new Lanes(cores, services.Brakes);
        services.Lanes = lanes;
        try
        {
            await Parallel.ForEachAsync(
                steps.Where(s => records[s.Index].State != StepState.Done),
                new ParallelOptions { MaxDegreeOfParallelism = cores + 1, CancellationToken = ct },
                async (step, token) => await DoAsync(step, token));
        }
        finally
        {
            services.Lanes = null;
        }
    }

    private async Task DoAsync(PlannedStep step, CancellationToken ct)
    {
        if (records[step.Index].State == StepState.Done)
        {
            return;
        }

        await KeepAsync(records[step.Index] with { State = StepState.Running, Attempts = records[step.Index].Attempts + 1 });
        services.Board.Activity = step.Description;
        var context = new StepContext(plan, step, services);
        await WithPatienceAsync(() => StepCatalog.Get(step.Kind).ForwardAsync(context, ct), ct);
        await KeepAsync(records[step.Index] with { State = StepState.Done, RowsDone = services.Board.FinishedRows(step.Index) });
    }

    // Every step may be done again from its beginning, so a server that restarts or is overloaded is only waited for.
    private async Task WithPatienceAsync(Func<Task> work, CancellationToken ct)
    {
        var first = TimeSpan.FromMilliseconds(250);
        var (since, pause) = (default(long?), first);
        while (true)
        {
            var began = services.Clock.GetTimestamp();
            try
            {
                await work();
                return;
            }
            catch (Exception e) when (MayPass(e) && !ct.IsCancellationRequested)
            {
                if (since is null || (e is OutcomeUnknownException or ClickHouse.ClickHouseUnreachableException && services.Clock.GetElapsedTime(began) > Patience))
                {
                    // It worked for a while: this is another trouble than the one before.
                    (since, pause) = (services.Clock.GetTimestamp(), first);
                }
                else if (services.Clock.GetElapsedTime(since.Value) >= Patience)
                {
                    throw;
                }

                services.Board.Brake = $"trying again: {e.Message}";
                await Task.Delay(pause, services.Clock, ct);
                services.Board.Brake = null;
                pause = TimeSpan.FromSeconds(Math.Min(5, pause.TotalSeconds * 2));
            }
        }
    }

    private static bool MayPass(Exception e) => e is OutcomeUnknownException or ClickHouseException { IsTransient: true };

    private async Task KeepAsync(StepRecord record)
    {
        records[record.Index] = record;
        await save(record);
    }
}
