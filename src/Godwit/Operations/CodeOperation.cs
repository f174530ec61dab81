using System.Text.Json;
using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Plans;
using Godwit.Steps;

namespace Godwit.Operations;

/// <summary>Calls code of the migration: see <see cref="Migrations.Migration.Code"/>.</summary>
/// <param name="Code">The name of the code.</param>
public sealed record CodeOperation(string Code) : Operation
{
    /// <summary>What the code is called with: anything that can be written as JSON. Frozen with the plan.</summary>
    public object? Arguments { get; init; }

    internal override IEnumerable<string> Problems() => [];

    internal override Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct)
    {
        if (draft.Migration?.Code.FirstOrDefault(c => c.Name == Code) is not { } code)
        {
            return Task.FromResult(new OperationProposal(
                null, [new CheckResult("definition", CheckVerdict.Refused, $"The migration {draft.Migration?.Name} plans the code {Code}, which it does not have. Its author must add it to Code.")]));
        }

        var operation = new PlannedOperation
        {
            Kind = OperationCatalog.Code,
            Description = Description ?? Code,
            Irreversible = code.Irreversible,
            Shared = PlanFormat.ToElement(new CodeSpec(Code, code.Irreversible)),
        };
        var step = draft.Step(RunCode.Name, operation.Description, Arguments ?? new { });
        return Task.FromResult(new OperationProposal(new OperationPlan(operation, [.. draft.GoAhead(code.Irreversible, operation.Description), step]), []));
    }
}

/// <summary>A piece of code of a migration. Both directions may be called again after they were cut off anywhere.</summary>
/// <param name="Name">The name by which operations call it. A stored plan calls it by this name too, so it never changes.</param>
/// <param name="ForwardAsync">Does it, or goes on from its checkpoint.</param>
public sealed record MigrationCode(string Name, Func<CodeContext, CancellationToken, Task> ForwardAsync)
{
    /// <summary>Undoes it, however much of it was done; null when it is <see cref="Irreversible"/>.</summary>
    public Func<CodeContext, CancellationToken, Task>? UndoAsync { get; init; }

    /// <summary>Whether there is no way back once it has begun.</summary>
    public bool Irreversible { get; init; }
}

/// <summary>What the step of a <see cref="CodeOperation"/> shares.</summary>
/// <param name="Code">The name of the code.</param>
/// <param name="Irreversible">See <see cref="MigrationCode.Irreversible"/>.</param>
internal sealed record CodeSpec(string Code, bool Irreversible) : IOperationSpec
{
    QualifiedName? IOperationSpec.BrakedTable => null;

    bool IOperationSpec.CanRollBackAfterCompletion => !Irreversible;

    bool IOperationSpec.LeavesRetired => false;
}
