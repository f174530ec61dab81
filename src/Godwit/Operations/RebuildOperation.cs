using System.Text.Json;
using Godwit.Plans;
using Godwit.Rebuild;

namespace Godwit.Operations;

/// <summary>Gives a table another definition while rows keep arriving.</summary>
/// <param name="Request">The table and what it is to become.</param>
public sealed record RebuildOperation(RebuildRequest Request) : Operation
{
    internal override IEnumerable<string> Problems() => Request.Problems();

    internal override async Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct)
    {
        var proposal = await new RebuildPlanner(draft.Gateway).ProposeAsync(Request, draft.Options, draft.RunId, ct);
        if (proposal.Plan?.Operation.Shared.Deserialize<RebuildSpec>(PlanFormat.Json) is { Way: not RebuildWay.Alter } spec)
        {
            draft.OldTables[spec.Source] = spec.Retired;
        }

        if (proposal.Plan is null)
        {
            draft.Refused.Add(Request.Table);
        }

        return proposal;
    }
}
