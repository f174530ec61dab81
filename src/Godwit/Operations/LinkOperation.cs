using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Steps;

namespace Godwit.Operations;

/// <summary>
/// Gives an empty table all rows of another one by links to the same files: no row is read, and no disk is needed until one of the two changes. Undone by
/// emptying it.
/// </summary>
/// <remarks>
/// Each partition is linked as it is at that moment, so nothing may write to the source when none may be missing. The engines may differ, as between a table
/// and its replicated twin; columns and keys may not.
/// </remarks>
/// <param name="From">The table that has the rows.</param>
/// <param name="To">The table that gets them; it has none.</param>
public sealed record LinkOperation(QualifiedName From, QualifiedName To) : Operation
{
    /// <summary>On which nodes: of a replicated target on one replica of each shard.</summary>
    public NodeScope Scope { get; init; }

    internal override IEnumerable<string> Problems() => From == To ? [$"Both tables are {From}."] : [];

    internal override async Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct)
    {
        var description = Description ?? $"Link the rows of {From} into {To}";
        List<CheckResult> checks = [];
        List<PlannedStep> steps = [];
        foreach (var step in await draft.StepsAsync(Scope, LinkTable.Name, description, new { }, ct))
        {
            var gateway = draft.Gateway.At(step.Node);
            foreach (var table in new[] { From, To })
            {
                checks.AddRange(await TableReader.FindEngineAsync(gateway, table, ct) is { } engine && !engine.EndsWith("MergeTree", StringComparison.Ordinal)
                    ? [new CheckResult("link", CheckVerdict.Refused, $"{table} on {step.Node} has the engine {engine}, which has no parts that could be linked.")]
                    : []);
            }

            if (await LinkTable.RowsAsync(gateway, To, ct) is > 0 and var rows)
            {
                checks.Add(new CheckResult("link", CheckVerdict.Refused, LinkTable.NotEmpty(To, step.Node, rows)));
            }

            steps.Add(step with { RowsTotal = await LinkTable.RowsAsync(gateway, From, ct) });
        }

        var operation = new PlannedOperation { Kind = OperationCatalog.Link, Description = description, Shared = PlanFormat.ToElement(new LinkSpec(From, To)) };
        return checks.Count > 0
            ? new OperationProposal(null, checks)
            : new OperationProposal(new OperationPlan(operation, steps), await draft.MissingAsync([From, To], ct));
    }
}

/// <summary>What the steps of a <see cref="LinkOperation"/> share; see there.</summary>
internal sealed record LinkSpec(QualifiedName From, QualifiedName To) : IOperationSpec
{
    QualifiedName? IOperationSpec.BrakedTable => null;

    bool IOperationSpec.CanRollBackAfterCompletion => true;

    bool IOperationSpec.LeavesRetired => false;
}
