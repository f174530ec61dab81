using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Operations;
using Godwit.Plans;
using Godwit.Runs;
using Godwit.Steps;

namespace Godwit.Migrations;

/// <summary>Which migration a person wants to run, and with which parameters.</summary>
/// <param name="Name">The migration's name.</param>
public sealed record MigrationRequest(string Name)
{
    /// <summary>Whether it is to be run though it is completed.</summary>
    public bool Again { get; init; }

    /// <summary>Values of its parameters, as a person writes them.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>Asks a migration what it would do here, and writes it down as a plan.</summary>
internal sealed class MigrationPlanner(RunHost host)
{
    /// <summary>All checks and, when none blocks, the plan. Changes nothing.</summary>
    /// <exception cref="InvalidRequestException">There is no such migration, or its parameters are wrong.</exception>
    public async Task<Proposal> ProposeAsync(MigrationRequest request, RunOptions options, CancellationToken ct)
    {
        var migration = Read(request, options);
        if (await new MigrationLedger(host).HindranceAsync(request, ct) is { } hindrance)
        {
            return new Proposal(null, [new CheckResult("run", CheckVerdict.Refused, hindrance)]);
        }

        var requirement = await CheckRunner.RequirementAsync(migration, ct);
        if (!requirement.IsNeeded)
        {
            return new Proposal(null, [new CheckResult("required", CheckVerdict.Refused, $"{request.Name} is not required here: {requirement.Why}")]);
        }

        List<CheckResult> checks = [new("required", requirement.IsKnown ? CheckVerdict.Ok : CheckVerdict.Warning, requirement.Why), .. await StartChecks.RunAsync(host, migration, ct)];
        if (checks.Exists(c => c.Blocks))
        {
            return new Proposal(null, checks);
        }

        var runId = PlanBuilder.NewRunId();
        var (plans, more) = await PlanAsync(migration, options, runId, ct);
        checks.AddRange(more);
        var plan = checks.Exists(c => c.Blocks) ? null : PlanBuilder.Build(runId, request.Name, plans) with { Parameters = migration.Context.Parameters.Texts, Warnings = CheckResult.Warnings(checks) };
        return new Proposal(plan, checks);
    }

    private RunningMigration Read(MigrationRequest request, RunOptions options)
    {
        if (host.Migrations.Find(request.Name) is not { } definition)
        {
            throw new InvalidRequestException([$"There is no migration {request.Name}; `godwit migrations list` shows those that there are."]);
        }

        var (values, problems) = ParameterValues.Read(definition.Parameters, request.Parameters);
        return values is not null && options.Problems().Count == 0
            ? new RunningMigration(definition, host.Context(values))
            : throw new InvalidRequestException([.. problems, .. options.Problems()]);
    }

    private async Task<(IReadOnlyList<OperationPlan> Plans, IReadOnlyList<CheckResult> Checks)> PlanAsync(
        RunningMigration migration, RunOptions options, string runId, CancellationToken ct)
    {
        var (operations, problems) = await OperationsAsync(migration, ct);
        if (problems.Count > 0)
        {
            return ([], problems);
        }

        if (operations.Count == 0)
        {
            return ([], [Refuse($"{migration.Definition.Name} has nothing to do here: its author should say so in its requirement.")]);
        }

        List<OperationPlan> plans = [];
        List<CheckResult> checks = [];
        var draft = new OperationDraft(runId, host.Gateway, options, migration.Definition) { Cluster = new ClusterMap(host.Gateway, host.Cluster), PostgreSql = host.PostgreSql };
        try
        {
            foreach (var operation in operations)
            {
                var proposal = await operation.ProposeAsync(draft, ct);
                checks.AddRange(proposal.Checks);
                plans.AddRange(proposal.Plan is null ? [] : [proposal.Plan]);
            }
        }
        catch (ClusterException e)
        {
            return ([], [new CheckResult("cluster", CheckVerdict.Refused, e.Message)]);
        }

        // Their helper tables are named after the run, and the second plan would be made from a table that the first one changes.
        checks.AddRange(plans.Select(p => p.Table).OfType<string>().GroupBy(t => t, StringComparer.Ordinal).Where(g => g.Count() > 1)
            .Select(g => Refuse($"{migration.Definition.Name} rebuilds {g.Key} {g.Count()} times: say all changes in one rebuild.")));
        checks.AddRange(await UnloggedAsync(plans.SelectMany(p => p.Steps), ct));
        checks.AddRange(Collisions(plans.Select(p => p.Operation)).Select(Refuse));
        return (plans, checks);
    }

    /// <summary>Where a statement that is cut off would need a person, for want of a log.</summary>
    private async Task<IReadOnlyList<CheckResult>> UnloggedAsync(IEnumerable<PlannedStep> steps, CancellationToken ct)
    {
        List<CheckResult> checks = [];
        foreach (var node in steps.Where(s => s.Kind == RunSql.Name && RunSql.MayNeedLog(s)).Select(s => s.Node).Distinct(StringComparer.Ordinal))
        {
            checks.AddRange(await QueryLog.IsOnAsync(host.Gateway.At(node), ct) ? [] : [new CheckResult("query-log", CheckVerdict.Warning, $"{node} keeps no query log, or this user may not read it: when a statement is cut off, a person must find out whether it was done.")]);
        }

        return checks;
    }

    /// <summary>What is kept for a rollback is kept once for each partition, and what was moved into a partition is moved back whole.</summary>
    private static IEnumerable<string> Collisions(IEnumerable<PlannedOperation> operations) => operations
        .Where(o => o.Kind == OperationCatalog.Partition)
        .Select(o => o.Shared.Deserialize<PartitionSpec>(PlanFormat.Json)!)
        .GroupBy(s => (Table: s.Action == PartitionAction.Move ? s.Other! : s.Table, s.Partition, IsMove: s.Action == PartitionAction.Move))
        .Where(g => g.Count() > 1)
        .Select(g => $"Partition {g.Key.Partition} of {g.Key.Table} is {(g.Key.IsMove ? "moved to" : "replaced or dropped")} {g.Count()} times, so a rollback could not put it back: do that once, or in two migrations. A forEach over parts needs DISTINCT.");

    [SuppressMessage("Design", "CA1031", Justification = "A definition is code of somebody else: whatever it throws, there is no plan, and a person is told why.")]
    private static async Task<(IReadOnlyList<Operation> Operations, IReadOnlyList<CheckResult> Problems)> OperationsAsync(RunningMigration migration, CancellationToken ct)
    {
        var name = migration.Definition.Name;
        try
        {
            var operations = await migration.Definition.PlanAsync(migration.Context, ct);
            return (operations, operations.SelectMany((operation, i) => operation.Problems().Select(p => Refuse($"Operation {i + 1} of {name}: {p}"))).ToList());
        }
        catch (Exception e) when (!ct.IsCancellationRequested && e is not ClickHouseUnreachableException)
        {
            return ([], [Refuse($"{name} could not say what it would do here: {e.Message}")]);
        }
    }

    private static CheckResult Refuse(string message) => new("definition", CheckVerdict.Refused, message);
}
