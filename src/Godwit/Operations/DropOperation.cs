using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Steps;

namespace Godwit.Operations;

/// <summary>
/// Takes a table, a view or a dictionary away, with a way back until the clean-up: a table is renamed and kept, of a view or a dictionary the
/// definition is.
/// </summary>
/// <param name="Name">Its name.</param>
public sealed record DropOperation(QualifiedName Name) : Operation
{
    /// <summary>On which nodes.</summary>
    public NodeScope Scope { get; init; }

    internal override IEnumerable<string> Problems() => [];

    internal override async Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct)
    {
        var description = Description ?? $"Drop {Name}";
        var kept = RebuildSpec.StagingName(Name, draft.RunId);
        List<CheckResult> checks = [];
        List<PlannedStep> steps = [];
        foreach (var step in await draft.StepsAsync(Scope, DropObject.Name, description, new { }, ct))
        {
            // What an earlier operation of the same plan makes is looked at when its time has come.
            checks.AddRange(await DropObject.FindAsync(draft.Gateway.At(step.Node), Name, ct) is { Obstacle: { } obstacle }
                ? [new CheckResult("drop", CheckVerdict.Refused, $"{Name} on {step.Node} {obstacle}")]
                : []);
            steps.Add(step);
        }

        draft.Freed.Add(Name);
        var operation = new PlannedOperation { Kind = OperationCatalog.Drop, Description = description, Shared = PlanFormat.ToElement(new DropSpec(Name, kept)) };
        return new OperationProposal(checks.Count > 0 ? null : new OperationPlan(operation, steps), checks);
    }
}

/// <summary>What the steps of a <see cref="DropOperation"/> share.</summary>
/// <param name="Name">What is taken away.</param>
/// <param name="Kept">The name under which a table is kept.</param>
internal sealed record DropSpec(QualifiedName Name, QualifiedName Kept) : IOperationSpec
{
    QualifiedName? IOperationSpec.BrakedTable => null;

    bool IOperationSpec.CanRollBackAfterCompletion => true;

    bool IOperationSpec.LeavesRetired => true;
}
