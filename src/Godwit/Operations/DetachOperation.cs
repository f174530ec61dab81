using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Steps;

namespace Godwit.Operations;

/// <summary>Detaches a view, so that it is fed no more, or attaches one again. The one is undone by the other.</summary>
/// <param name="View">The view: one without rows of its own, such as a materialized view with TO.</param>
public sealed record DetachOperation(QualifiedName View) : Operation
{
    /// <summary>Whether it is attached rather than detached.</summary>
    public bool Attaches { get; init; }

    /// <summary>On which nodes.</summary>
    public NodeScope Scope { get; init; }

    internal override IEnumerable<string> Problems() => [];

    internal override async Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct)
    {
        var description = Description ?? $"{(Attaches ? "Attach" : "Detach")} {View}";
        var steps = await draft.StepsAsync(Scope, DetachView.Name, description, new DetachArguments(View, Attaches), ct);
        List<CheckResult> checks = [];
        foreach (var step in steps.Where(_ => !Attaches))
        {
            checks.AddRange(await TableReader.FindEngineAsync(draft.Gateway.At(step.Node), View, ct) is { } engine && !engine.EndsWith("View", StringComparison.Ordinal)
                ? [new CheckResult("detach", CheckVerdict.Refused, $"{View} on {step.Node} is no view (engine {engine}): detaching it would take its rows out of sight.")]
                : []);
        }

        var operation = new PlannedOperation { Kind = OperationCatalog.Detach, Description = description, Shared = PlanFormat.ToElement(new PlainSpec(false)) };
        return new OperationProposal(checks.Count > 0 ? null : new OperationPlan(operation, steps), checks);
    }
}
