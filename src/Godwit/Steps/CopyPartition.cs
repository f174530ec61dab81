using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Which partition a step copies or links.</summary>
/// <param name="Partition">Its id.</param>
internal sealed record PartitionArguments(string Partition);

/// <summary>Copies the rows that one partition held at the marked position.</summary>
internal sealed class CopyPartition : IStep
{
    public const string Name = "copy-partition";

    public string Kind => Name;

    public bool IsSideBySide => true;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        var partition = context.Arguments<PartitionArguments>().Partition;
        var resources = await ServerResources.ReadAsync(context.Gateway, context.Options, ct);
        var lanes = Math.Max(1, Math.Min(resources.Cores, context.Operation.Steps.Count(s => s.Kind == Name)));
        var tuning = CopyTuning.For(resources, context.Options, lanes, context.Step.BytesTotal ?? long.MaxValue);
        var attached = await new ChunkCopier(context, HelperTables.Landing(spec, context.Step.Index)).CopyAsync(
            new Chunk($"forward-base-{partition}", spec.ForwardDirection(exchanged: false), Condition(context, spec, partition), tuning, IsSweep: false, Verify: false), ct);
        context.Board.Finish(context.Step.Index, attached.Fingerprints.Rows);
    }

    /// <summary>The condition for the rows of a partition that belong to the base.</summary>
    public static string Condition(StepContext context, RebuildSpec spec, string partition) => $"_partition_id = {Sql.Literal(partition)}"
        + (spec.Second is not null ? $" AND {ConsumerComparison.Base(context, spec)}" : spec.FollowsWrites ? $" AND _block_number <= {context.Journal.Get<long>(MarkPosition.BaseFact)}" : "");

    // What was copied goes away with staging.
    public Task UndoAsync(StepContext context, CancellationToken ct) => Task.CompletedTask;
}
