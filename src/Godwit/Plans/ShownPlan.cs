using System.Text.Json;
using System.Text.Json.Nodes;
using Godwit.Hooks;
using Godwit.Operations;
using Godwit.Rebuild;

namespace Godwit.Plans;

/// <summary>A plan as everybody may see it who may see the run: a hook's address is a password, and its statement may have one in it.</summary>
internal static class ShownPlan
{
    private const string Hooks = "hooks";

    /// <summary>The same plan without what is secret in it.</summary>
    public static Plan Of(Plan plan) => plan with { Operations = [.. plan.Operations.Select(Of)] };

    private static PlannedOperation Of(PlannedOperation operation)
    {
        if (operation is not { Kind: OperationCatalog.Rebuild, Shared.ValueKind: JsonValueKind.Object }
            || !operation.Shared.TryGetProperty(Hooks, out var written) || written.Deserialize<WriterHooks>(PlanFormat.Json) is not { } hooks)
        {
            return operation;
        }

        var shared = JsonObject.Create(operation.Shared)!;
        shared[Hooks] = JsonSerializer.SerializeToNode(hooks with { Pause = Hook.Of(hooks.Pause).Shown, Resume = Hook.Of(hooks.Resume).Shown }, PlanFormat.Json);
        return operation with { Shared = PlanFormat.ToElement(shared) };
    }
}
