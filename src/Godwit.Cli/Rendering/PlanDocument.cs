using System.Text.Json;
using Godwit.Checks;
using Godwit.Plans;

namespace Godwit.Cli.Rendering;

/// <summary>What <c>rebuild --plan --output json</c> and <c>migrations plan</c> print: the plan as it would be stored, and what every check said.</summary>
internal sealed record PlanDocument(string Subject, Plan? Plan, IReadOnlyList<CheckResult> Checks)
{
    /// <summary>The document; with <c>error</c> beside them when a check blocks, so that it is one all the same.</summary>
    public static object Of(string subject, Proposal proposal, Failure? failure) => failure is null
        ? new PlanDocument(subject, WithArguments(proposal.Plan), proposal.Checks)
        : new { subject, plan = WithArguments(proposal.Plan), checks = proposal.Checks, error = failure.ToDocument() };

    // A step without arguments holds an undefined element, which JSON cannot say.
    private static Plan? WithArguments(Plan? plan) => plan is null ? null : plan with
    {
        Operations = [.. plan.Operations.Select(o => o with { Shared = Defined(o.Shared) })],
        Steps = [.. plan.Steps.Select(s => s with { Arguments = Defined(s.Arguments) })],
    };

    private static JsonElement Defined(JsonElement element) =>
        element.ValueKind == JsonValueKind.Undefined ? PlanFormat.ToElement(new { }) : element;
}
