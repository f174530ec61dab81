using Godwit.Metadata;
using Godwit.Runs;

namespace Godwit.Migrations;

/// <summary>Where the migrations of this instance are: read from its runs and, for those without one, asked of their definitions.</summary>
internal sealed class MigrationLedger(RunHost host)
{
    private IReadOnlyList<RunRecord>? _runs;

    /// <summary>All migrations, each after those that it depends on; at the end those whose definition is gone.</summary>
    public async Task<IReadOnlyList<MigrationOverview>> ListAsync(CancellationToken ct)
    {
        Dictionary<string, MigrationOverview> known = new(StringComparer.Ordinal);
        foreach (var definition in host.Migrations.All)
        {
            var overview = await LookAsync(definition, ct);
            known[definition.Name] = overview with { WaitsFor = definition.DependsOn.Where(name => !known[name].IsDone).ToList() };
        }

        var orphans = (await RunsAsync(ct)).Where(r => r.Migration != Plans.Plan.ByHand && !known.ContainsKey(r.Migration)).DistinctBy(r => r.Migration);
        return
        [
            .. host.Migrations.All.Select(m => known[m.Name]),
            .. orphans.Select(r => new MigrationOverview { Name = r.Migration, State = r.State, RunId = r.RunId, IsOrphaned = true }),
        ];
    }

    /// <summary>Whether a migration is done here, and its state.</summary>
    public async Task<(bool Done, RunState State)> IsDoneAsync(Migration definition, CancellationToken ct)
    {
        var overview = await LookAsync(definition, ct);
        return (overview.IsDone, overview.State);
    }

    /// <summary>The run that says where a migration is: the newest one that has begun.</summary>
    /// <param name="runs">All runs of the instance, the newest first.</param>
    /// <param name="migration">The migration.</param>
    public static RunRecord? Current(IEnumerable<RunRecord> runs, string migration) =>
        runs.FirstOrDefault(r => r.Migration == migration && r.HasBegun);

    /// <summary>Why a migration cannot be run now: it is done, or a run of it is not at its end; null when neither is so.</summary>
    public async Task<string?> HindranceAsync(MigrationRequest request, CancellationToken ct) => Current(await RunsAsync(ct), request.Name) switch
    {
        { State: RunState.Completed } done when !request.Again =>
            $"{request.Name} was completed by run {done.RunId} at {done.FinishedAt:yyyy-MM-dd HH:mm} UTC. `godwit rollback {done.RunId}` undoes it; --again runs it once more.",
        { State: RunState.Failed or RunState.NeedsOperator or RunState.Paused } held =>
            $"Run {held.RunId} of {request.Name} is {held.State}: `godwit resume {held.RunId}` goes on with it, `godwit rollback {held.RunId}` undoes it.",
        { } run when RunTransitions.IsActive(run.State) => $"Run {run.RunId} of {request.Name} is {run.State}; `godwit status {run.RunId}` shows how far it is.",
        _ => null,
    };

    /// <summary>The migrations that are built on this one and have begun here, each with its run.</summary>
    public async Task<IReadOnlyList<RunRecord>> DependentsAsync(string migration, CancellationToken ct)
    {
        var runs = await RunsAsync(ct);
        return host.Migrations.All.Where(m => m.DependsOn.Contains(migration, StringComparer.Ordinal))
            .Select(m => Current(runs, m.Name)).OfType<RunRecord>().Where(r => r.State != RunState.RolledBack).ToList();
    }

    private async Task<MigrationOverview> LookAsync(Migration definition, CancellationToken ct)
    {
        var runs = await RunsAsync(ct);
        var run = Current(runs, definition.Name) ?? runs.FirstOrDefault(r => r.Migration == definition.Name);

        // What was undone, or never began, is where it was before: asked again.
        var requirement = run is null or { State: RunState.RolledBack or RunState.FailedAtStartup or RunState.NotStarted }
            ? await RequirementAsync(definition, ct)
            : new Requirement(run.State != RunState.NotRequired, run.State == RunState.NotRequired ? run.Problem ?? "" : "It was required when it was run.");
        return new MigrationOverview
        {
            Name = definition.Name,
            Description = definition.Description,
            State = !requirement.IsNeeded ? RunState.NotRequired : run?.State ?? RunState.NotStarted,
            RunId = run?.RunId,
            IsRequired = requirement.IsNeeded,
            Why = requirement.Why,
            Versions = definition.Versions == VersionWindow.Any ? null : definition.Versions.ToString(),
        };
    }

    // Without parameters that a person would have to give, an instance can always be asked; with them it counts as required.
    private async Task<Requirement> RequirementAsync(Migration definition, CancellationToken ct)
    {
        var (values, _) = ParameterValues.Read(definition.Parameters, new Dictionary<string, string>(StringComparer.Ordinal));
        return values is null
            ? new Requirement(true, "Its parameters must be given before it can be asked.")
            : await CheckRunner.RequirementAsync(new RunningMigration(definition, host.Context(values)), ct);
    }

    private async Task<IReadOnlyList<RunRecord>> RunsAsync(CancellationToken ct) =>
        _runs ??= (await host.Store.ListRunsAsync(ct)).Where(r => r.Instance == host.Gateway.Name).ToList();
}
