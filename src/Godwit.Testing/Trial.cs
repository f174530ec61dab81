using Godwit.Checks;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Runs;

namespace Godwit.Testing;

/// <summary>A world and a store that were made anew, and one process after the other that works on them.</summary>
internal sealed class Trial(Trials trials, IStore store, LabClock clock) : IAsyncDisposable
{
    /// <summary>The world as it is now.</summary>
    public async Task<WorldSnapshot> LookAsync() =>
        await new World(trials.Engine, trials.Ct).LookAsync(trials.Checkup.Ignore, [.. (await store.ListRunsAsync(trials.Ct)).Select(r => r.RunId)]);

    /// <summary>Begins the migration, or goes on with it.</summary>
    public Task<ProcessEnd> ForwardAsync(Cut? cut = null, string? forgotten = null) => ForwardAsync(trials.Name, cut, forgotten);

    /// <summary>Begins a migration, or goes on with it.</summary>
    public async Task<ProcessEnd> ForwardAsync(string name, Cut? cut = null, string? forgotten = null)
    {
        var run = await FindRunAsync(name);
        return await RunAsync(cut, forgotten, async migrator => run?.State switch
        {
            null or RunState.RolledBack => await migrator.RunAsync(await CreateAsync(migrator, name), ct: trials.Ct),
            RunState.Completed => await migrator.StatusAsync(run.RunId, trials.Ct),
            _ => await migrator.ResumeAsync(run.RunId, ct: trials.Ct),
        });
    }

    /// <summary>Rolls the migration back, or goes on with that.</summary>
    public async Task<ProcessEnd> BackAsync(Cut? cut = null, string? forgotten = null)
    {
        var run = await FindRunAsync(trials.Name) ?? throw new InvalidOperationException("There is no run to roll back.");
        return await RunAsync(cut, forgotten, migrator => run.State == RunState.RolledBack
            ? migrator.StatusAsync(run.RunId, trials.Ct)
            : migrator.RollbackAsync(run.RunId, ct: trials.Ct));
    }

    /// <summary>Whether the run is completed and can still be rolled back.</summary>
    public async Task<bool> CanGoBackAsync() => (await FindRunAsync(trials.Name))?.RollbackUntil is not null;

    /// <summary>Whether the run has begun something of which its author says that there is no way back from it.</summary>
    public async Task<bool> IsPastReturnAsync()
    {
        var run = await FindRunAsync(trials.Name);
        var plan = await store.GetPlanAsync(run!.RunId, trials.Ct);
        var steps = await store.GetStepsAsync(run.RunId, trials.Ct);
        return steps.Any(s => s.State != StepState.Pending && plan.Operations[plan.Steps[s.Index].Operation].Irreversible);
    }

    public ValueTask DisposeAsync() => store.DisposeAsync();

    private async Task<RunRecord?> FindRunAsync(string name) => (await store.ListRunsAsync(trials.Ct)).FirstOrDefault(r => r.Migration == name);

    private async Task<ProcessEnd> RunAsync(Cut? cut, string? forgotten, Func<Migrator, Task<RunStatus>> work)
    {
        // Whoever had the run before is dead, and its lease has ended.
        clock.PutForward(2 * LeaseKeeper.Duration);
        var end = await LabProcess.RunAsync(trials.Engine, store, trials.Options(clock), cut, forgotten, work);
        trials.Ct.ThrowIfCancellationRequested();
        return end;
    }

    private async Task<string> CreateAsync(Migrator migrator, string name)
    {
        var options = trials.Checkup.RunOptions;
        var request = new MigrationRequest(name);
        request = name == trials.Name ? request with { Parameters = trials.Checkup.Parameters } : request;
        var proposal = await migrator.ProposeAsync(request, options, trials.Ct);
        return proposal.Plan is { } plan
            ? await migrator.CreateRunAsync(plan, options, trials.Ct)
            : throw new InvalidRequestException([.. proposal.Checks.Where(c => c.Blocks).Select(c => c.Message)]);
    }
}
