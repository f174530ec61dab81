using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.Plans;
using Godwit.Steps;

namespace Godwit.Operations;

/// <summary>Counts the rows of two tables by partition, day and columns, and keeps what was found with the run. Changes nothing, and no difference stops the run.</summary>
/// <param name="Request">What is compared.</param>
public sealed record CompareOperation(ComparisonRequest Request) : Operation
{
    /// <summary>Whether <see cref="ComparisonRequest.A"/> is the old table of <see cref="ComparisonRequest.B"/>.</summary>
    internal bool IsWithOld { get; init; }

    /// <summary>Compares a table that an earlier operation of the same migration rebuilds with its old table.</summary>
    /// <param name="table">The table.</param>
    public static CompareOperation WithOld(QualifiedName table) => new(new ComparisonRequest(new TableOrPattern(table), new TableOrPattern(table))) { IsWithOld = true };

    internal override IEnumerable<string> Problems() => Request.Problems();

    internal override Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct)
    {
        var request = Request;
        if (IsWithOld)
        {
            if (draft.OldTables.FirstOrDefault(t => new TableOrPattern(t.Key) == Request.B) is not { Value: { } old })
            {
                return Task.FromResult(draft.WithoutOldTable("compare", Request.B.ToString()));
            }

            request = request with { A = new TableOrPattern(old) };
        }

        var description = Description ?? $"Compare {request.A} and {request.B}";
        var operation = new PlannedOperation { Kind = OperationCatalog.Compare, Description = description, Shared = PlanFormat.ToElement(new PlainSpec(false)) };
        return Task.FromResult(new OperationProposal(new OperationPlan(operation, [draft.Step(CompareTables.Name, description, CompareArguments.Of(request))]), []));
    }
}
