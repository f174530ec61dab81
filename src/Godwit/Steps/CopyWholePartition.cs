using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Copies a partition as it stands; what changes in it later is copied again by the cutover.</summary>
internal sealed class CopyWholePartition : IStep
{
    public const string Name = "copy-whole-partition";

    public string Kind => Name;

    public bool IsSideBySide => true;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        await LongStatement.KillOwnAsync(context, ct);
        var resources = await ServerResources.ReadAsync(context.Gateway, context.Options, ct);
        var lanes = Math.Max(1, Math.Min(resources.Cores, context.Operation.Steps.Count(s => s.Kind == Name)));
        var rows = await new WholeCopier(context, spec, spec.ForwardDirection(exchanged: false)).CopyAsync(
            context.Arguments<PartitionArguments>().Partition, context.Step.Index, CopyTuning.For(resources, context.Options, lanes, context.Step.BytesTotal ?? long.MaxValue), ct);
        context.Board.Finish(context.Step.Index, rows);
    }

    // What was copied goes away with staging.
    public Task UndoAsync(StepContext context, CancellationToken ct) => Task.CompletedTask;
}
