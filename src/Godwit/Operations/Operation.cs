using System.Data.Common;
using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Runs;
using Godwit.Steps;

namespace Godwit.Operations;

/// <summary>One thing that a migration does, and how it is undone. Godwit's own kinds are all there are; <see cref="CodeOperation"/> takes any code.</summary>
public abstract record Operation
{
    /// <summary>One line for a person; made up from the rest when it is null.</summary>
    public string? Description { get; init; }

    /// <summary>What is wrong with it as it is written, one sentence each.</summary>
    internal abstract IEnumerable<string> Problems();

    /// <summary>Looks at the instance and says what would be done; changes nothing.</summary>
    internal abstract Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct);
}

/// <summary>What an operation is planned with.</summary>
/// <param name="RunId">The id of the run to be; helper tables are named after it.</param>
/// <param name="Gateway">The server.</param>
/// <param name="Options">How a person wants the run to behave.</param>
/// <param name="Migration">The migration; null for an operation that was asked for without one.</param>
internal sealed record OperationDraft(string RunId, ClickHouseGateway Gateway, RunOptions Options, Migration? Migration)
{
    /// <summary>The application's PostgreSQL; null when none was given.</summary>
    public DbDataSource? PostgreSql { get; init; }

    /// <summary>The nodes of the instance.</summary>
    public required ClusterMap Cluster { get; init; }

    /// <summary>Names that earlier operations of the same plan give up: who wants one of them finds it free when its time has come.</summary>
    public HashSet<QualifiedName> Freed { get; } = [];

    /// <summary>The tables that earlier operations of the same plan rebuild, and the name under which each one's old table stays.</summary>
    public Dictionary<QualifiedName, QualifiedName> OldTables { get; } = [];

    /// <summary>The tables whose rebuild by an earlier operation was refused; that has been told.</summary>
    public HashSet<QualifiedName> Refused { get; } = [];

    /// <summary>There is no plan for what needs the old table of a rebuild, because no earlier operation leaves one.</summary>
    public OperationProposal WithoutOldTable(string check, string table) => new(
        null,
        Refused.Any(r => r.ToString() == table)
            ? []
            : [new CheckResult(check, CheckVerdict.Refused, $"No earlier operation of this migration rebuilds {table} by a copy, so there will be no old table of it: put this behind the rebuild.")]);

    /// <summary>A step; it is numbered when the plan is put together. It runs on the given server when no node is named.</summary>
    public PlannedStep Step(string kind, string description, object arguments, string? node = null) => new()
    {
        Index = 0,
        Kind = kind,
        Node = node ?? Gateway.Name,
        Description = description,
        Arguments = PlanFormat.ToElement(arguments),
    };

    /// <summary>A step on each node of a scope.</summary>
    /// <exception cref="ClusterException">The nodes cannot be told, or one of them does not answer.</exception>
    public async Task<IReadOnlyList<PlannedStep>> StepsAsync(NodeScope scope, string kind, string description, object arguments, CancellationToken ct)
    {
        var nodes = await Cluster.NodesAsync(scope, ct);
        return nodes.Select(node => Step(kind, nodes.Count > 1 ? $"{description} (on {node})" : description, arguments, node)).ToList();
    }

    /// <summary>Warns of tables that are not there: an earlier operation of the plan may make them, or a name is wrong.</summary>
    public async Task<IReadOnlyList<CheckResult>> MissingAsync(IEnumerable<QualifiedName> tables, CancellationToken ct)
    {
        List<CheckResult> checks = [];
        foreach (var table in tables)
        {
            checks.AddRange(await TableReader.FindEngineAsync(Gateway, table, ct) is null
                ? [new CheckResult("tables", CheckVerdict.Warning, $"There is no {table} on {Gateway.Name} yet, so it was not looked at: an earlier operation must make it.")]
                : []);
        }

        return checks;
    }

    /// <summary>The step before what cannot be undone, unless a person has agreed beforehand: it waits for one.</summary>
    public IReadOnlyList<PlannedStep> GoAhead(bool irreversible, string what) => irreversible && !Options.AcceptIrreversible
        ? [Step(AwaitCutover.Name, $"Wait for `godwit cutover`: there is no way back from \"{what}\"", new { })]
        : [];
}

/// <summary>What an operation would do, and what stands in its way.</summary>
/// <param name="Plan">Its part of the plan; null when a check blocks.</param>
/// <param name="Checks">What its checks said.</param>
internal sealed record OperationProposal(OperationPlan? Plan, IReadOnlyList<CheckResult> Checks);
