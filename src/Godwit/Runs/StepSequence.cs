using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Steps;

namespace Godwit.Runs;

/// <summary>Does the steps of a plan in order, side by side where their kind allows it, and undoes them newest first.</summary>
internal sealed class StepSequence(RunBook book, RunServices services)
{
    /// <summary>The journal's fact that an operation is being undone: from then on the run only goes that way.</summary>
    private const string RollingBack = "rolling-back";

    /// <summary>Whether an operation has begun to be undone.</summary>
    public bool IsRollingBack => services.Operations.Any(o => services.Journal.Of(o.Steps[^1]).Has(RollingBack));

    /// <summary>The step that is being undone; null when none is.</summary>
    public int? Undoing { get; private set; }

    private IReadOnlyList<PlannedStep> Steps => services.Plan.Steps;

    /// <summary>Does every step that is not done.</summary>
    public async Task ForwardAsync(CancellationToken ct)
    {
        for (var i = 0; i < Steps.Count;)
        {
            var group = GroupAt(i);
            await (IsSideBySide(group[0]) ? DoSideBySideAsync(group, ct) : DoAsync(group[0], ct));
            i += group.Count;
        }
    }

    /// <summary>
    /// Begins to undo: refuses what has no way back, and gets the newest operation ready for it. Until this is through the run may still go
    /// forward, or stay completed.
    /// </summary>
    public async Task BeginUndoAsync(CancellationToken ct)
    {
        foreach (var step in Begun().Where(s => services.Plan.Operations[s.Operation].Irreversible))
        {
            await PrepareUndoAsync(step, ct);
        }

        await PrepareUndoAsync(Begun().Select(s => (int?)s.Operation).FirstOrDefault() ?? 0, ct);
    }

    /// <summary>Undoes every step that was begun, newest first. An operation is made ready when the newer ones are undone: they may have changed what it looks at.</summary>
    public async Task UndoAsync(CancellationToken ct)
    {
        foreach (var step in Begun())
        {
            Undoing = step.Index;
            await PrepareUndoAsync(step.Operation, ct);
            var context = new StepContext(services, step);
            services.Board.Activity = $"undoing: {step.Description}";
            await WithPatienceAsync(step, () => StepCatalog.Get(step.Kind).UndoAsync(context, ct), ct);
            await book.KeepAsync(book.Steps[step.Index] with { State = StepState.Undone, RowsDone = 0, FinishedAt = services.Clock.GetUtcNow() });
        }

        Undoing = null;
    }

    private async Task PrepareUndoAsync(int operation, CancellationToken ct)
    {
        var journal = services.Journal.Of(services.Operations[operation].Steps[^1]);
        if (journal.Has(RollingBack))
        {
            return;
        }

        foreach (var step in Begun().Where(s => s.Operation == operation))
        {
            await PrepareUndoAsync(step, ct);
        }

        await journal.FactAsync(RollingBack, true);
    }

    private Task PrepareUndoAsync(PlannedStep step, CancellationToken ct)
    {
        var context = new StepContext(services, step);
        return WithPatienceAsync(step, () => StepCatalog.Get(step.Kind).PrepareUndoAsync(context, ct), ct);
    }

    /// <summary>The steps that changed something or may have, newest first.</summary>
    private List<PlannedStep> Begun() => Steps.Reverse().Where(s => book.Steps[s.Index].State is not (StepState.Pending or StepState.Undone)).ToList();

    /// <summary>The step at this place, and those after it that may be done at the same time.</summary>
    private List<PlannedStep> GroupAt(int start)
    {
        var first = Steps[start];
        return IsSideBySide(first)
            ? Steps.Skip(start).TakeWhile(s => s.Kind == first.Kind && s.Operation == first.Operation).ToList()
            : [first];
    }

    private static bool IsSideBySide(PlannedStep step) => StepCatalog.Get(step.Kind).IsSideBySide;

    // As many lanes as cores, and one step more, which gets ready for the lane that becomes free next. The first failure stops the
    // others; each is awaited, and the first one is thrown.
    private async Task DoSideBySideAsync(List<PlannedStep> steps, CancellationToken ct)
    {
        // A server that is away between two steps is waited for as one that goes away during a step.
        var cores = 1;
        await WithPatienceAsync(steps[0], async () => cores = (await ServerResources.ReadAsync(services.Gateway, services.Options, ct)).Cores, ct);
        var operation = services.Operations[steps[0].Operation];
        using var lanes = new Lanes(cores, operation.Brakes);
        operation.Lanes = lanes;
        try
        {
            await Parallel.ForEachAsync(
                steps.Where(s => book.Steps[s.Index].State != StepState.Done),
                new ParallelOptions { MaxDegreeOfParallelism = cores + 1, CancellationToken = ct },
                async (step, token) => await DoAsync(step, token));
        }
        finally
        {
            operation.Lanes = null;
        }
    }

    private async Task DoAsync(PlannedStep step, CancellationToken ct)
    {
        var record = book.Steps[step.Index];
        if (record.State == StepState.Done)
        {
            return;
        }

        if (record.State == StepState.Pending)
        {
            await PassGateAsync(step, ct);
        }

        await book.KeepAsync(record with { State = StepState.Running, Attempts = record.Attempts + 1, StartedAt = services.Clock.GetUtcNow(), FinishedAt = null });
        services.Board.Activity = step.Description;
        var context = new StepContext(services, step);
        await WithPatienceAsync(step, () => StepCatalog.Get(step.Kind).ForwardAsync(context, ct), ct);
        await book.KeepAsync(book.Steps[step.Index] with { State = StepState.Done, RowsDone = services.Board.FinishedRows(step.Index), FinishedAt = services.Clock.GetUtcNow() });
    }

    private async Task PassGateAsync(PlannedStep step, CancellationToken ct)
    {
        var isGated = StepCatalog.Get(step.Kind).IsGated || services.Plan.Operations[step.Operation].Irreversible;
        if (isGated && services.Migration is { } migration && CheckRunner.Refusal(await CheckRunner.AskAsync(migration, ct, CheckScope.Gate)) is { } refusal)
        {
            throw new StepFailedException($"A gate is closed before \"{step.Description}\". {refusal} Mend that and `resume`, or `rollback`.");
        }
    }

    // Every step may be done again from its beginning, so a server that restarts or is overloaded is only waited for.
    private async Task WithPatienceAsync(PlannedStep step, Func<Task> work, CancellationToken ct)
    {
        var first = TimeSpan.FromMilliseconds(250);
        var (since, pause) = (default(long?), first);
        while (true)
        {
            var began = services.Clock.GetTimestamp();
            try
            {
                await work();
                break;
            }
            catch (Exception e) when (MayPass(e) && !ct.IsCancellationRequested)
            {
                if (since is null || (e is OutcomeUnknownException or ClickHouse.ClickHouseUnreachableException && services.Clock.GetElapsedTime(began) > services.Patience))
                {
                    // It worked for a while: this is another trouble than the one before.
                    (since, pause) = (services.Clock.GetTimestamp(), first);
                    await Trouble.BeganAsync(book, step, e);
                }
                else if (services.Clock.GetElapsedTime(since.Value) >= services.Patience && !StepCatalog.Get(step.Kind).Holds(new StepContext(services, step)))
                {
                    throw;
                }

                services.Board.Brake = $"trying again: {e.Message}";
                await Task.Delay(pause, services.Clock, ct);
                services.Board.Brake = null;
                pause = TimeSpan.FromSeconds(Math.Min(5, pause.TotalSeconds * 2));
            }
        }

        if (since is { } start)
        {
            await Trouble.EndedAsync(book, services, step, services.Clock.GetElapsedTime(start), ct);
        }
    }

    private static bool MayPass(Exception e) => e is OutcomeUnknownException or ClickHouseException { IsTransient: true };
}
