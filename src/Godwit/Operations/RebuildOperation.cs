using Godwit.Rebuild;

namespace Godwit.Operations;

/// <summary>Gives a table another definition while rows keep arriving.</summary>
/// <param name="Request">The table and what it is to become.</param>
public sealed record RebuildOperation(RebuildRequest Request) : Operation
{
    internal override IEnumerable<string> Problems() => Request.Problems();

    internal override Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct) =>
        new RebuildPlanner(draft.Gateway).ProposeAsync(Request, draft.Options, draft.RunId, ct);
}
