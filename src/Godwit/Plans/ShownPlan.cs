using System.Text.Json;
using Godwit.Hooks;
using Godwit.Operations;
using Godwit.Rebuild;

namespace Godwit.Plans;

/// <summary>A plan as everybody may see it who may see the run: a hook's address is a password, and its statement may have one in it.</summary>
internal static class ShownPlan
{
    /// <summary>The same plan without what is secret in it.</summary>
    public static Plan Of(Plan plan) => plan with { Operations = [.. plan.Operations.Select(Of)] };

    private static PlannedOperation Of(PlannedOperation operation)
    {
        if (operation.Kind != OperationCatalog.Rebuild || operation.Shared.Deserialize<RebuildSpec>(PlanFormat.Json) is not { Hooks: { } hooks } spec)
        {
            return operation;
        }

        var shown = hooks with { Pause = Hook.Of(hooks.Pause).Shown, Resume = Hook.Of(hooks.Resume).Shown };
        return operation with { Shared = PlanFormat.ToElement(spec with { Hooks = shown }) };
    }
}
