using Godwit.ClickHouse;
using Godwit.Operations;
using Godwit.Plans;

namespace Godwit.Runs;

/// <summary>An operation of the plan while its run is in this process: read once, because a plan may have ten thousand steps.</summary>
internal sealed class OperationScope
{
    private OperationScope(PlannedOperation operation, IReadOnlyList<PlannedStep> steps, Func<QualifiedName?, Brakes> brakes)
    {
        Kind = OperationCatalog.Get(operation.Kind);
        Spec = Kind.Read(operation.Shared) ?? throw new StoredFormatException($"The stored operation '{operation.Kind}' is empty: the state file was changed or damaged.");
        Steps = steps;
        Brakes = brakes(Spec.BrakedTable);
    }

    /// <summary>What is known of its kind.</summary>
    public OperationKind Kind { get; }

    /// <summary>What its steps share.</summary>
    public IOperationSpec Spec { get; }

    /// <summary>Its steps, in plan order.</summary>
    public IReadOnlyList<PlannedStep> Steps { get; }

    /// <summary>What holds it.</summary>
    public Brakes Brakes { get; }

    /// <summary>Where the large statements of steps side by side run; null when steps are done one after the other.</summary>
    public Lanes? Lanes { get; set; }

    /// <summary>The operations of a stored plan.</summary>
    public static IReadOnlyList<OperationScope> Of(Plan plan, Func<QualifiedName?, Brakes> brakes)
    {
        var steps = plan.Steps.ToLookup(s => s.Operation);
        return plan.Operations.Select((operation, number) => new OperationScope(operation, [.. steps[number]], brakes)).ToList();
    }
}
