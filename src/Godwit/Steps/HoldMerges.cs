using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Holds the merges of the source for the whole run: they would fold rows that arrive into rows that were copied.</summary>
internal sealed class HoldMerges : IStep
{
    public const string Name = "hold-merges";

    public string Kind => Name;

    public Task ForwardAsync(StepContext context, CancellationToken ct) =>
        MergeControl.HoldAsync(context, context.Shared<RebuildSpec>().Source, ct);

    public Task UndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        return MergeControl.ReleaseAsync(context, spec, spec.Source, spec.From, ct);
    }
}
