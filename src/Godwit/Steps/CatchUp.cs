using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Copies what arrived during the base copy, round by round until a round is short.</summary>
internal sealed class CatchUp : IStep
{
    public const string Name = "catch-up";
    private const int MostRounds = 20;

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        context.Board.Activity = "catching up with new rows";
        await new SourceGuard(context, spec).IsSuspectAsync(ct);
        await CopyUnplannedPartitionsAsync(context, spec, ct);
        var follower = new Follower(context, spec, spec.ForwardDirection(exchanged: false));
        for (var round = 0; round < MostRounds; round++)
        {
            await context.Brakes.PassAsync(ct);
            var began = context.Clock.GetTimestamp();
            var rows = await follower.RoundAsync(RoundKind.Following, ct);
            if (rows == 0 || context.Clock.GetElapsedTime(began) < TimeSpan.FromSeconds(2))
            {
                break;
            }
        }
    }

    public Task UndoAsync(StepContext context, CancellationToken ct) => Task.CompletedTask;

    // Between the making of the plan and the marked position writers may have begun a partition that the plan does not know.
    public static async Task CopyUnplannedPartitionsAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        var planned = context.Operation.Steps.Where(s => s.Kind is CopyPartition.Name or LinkPartition.Name)
            .Select(s => System.Text.Json.JsonSerializer.Deserialize<PartitionArguments>(s.Arguments, Plans.PlanFormat.Json)!.Partition)
            .ToHashSet(StringComparer.Ordinal);
        var position = context.Journal.Get<long>(MarkPosition.BaseFact);
        var partitions = await context.Gateway.QueryAsync(
            $"SELECT DISTINCT partition_id FROM system.parts WHERE {TableReader.Where(spec.Source, "table")} AND active AND min_block_number <= {position}", ct: ct);
        var tuning = CopyTuning.For(await ServerResources.ReadAsync(context.Gateway, context.Options, ct), context.Options, 1, long.MaxValue);
        if (await LinkPartition.MissedAsync(context, spec, position, ct) is { } missed)
        {
            await new ChunkCopier(context, HelperTables.Landing(spec, context.Step.Index)).CopyAsync(
                new Chunk("forward-missed", spec.ForwardDirection(exchanged: false), missed, tuning, IsSweep: false, Verify: false), ct);
        }

        foreach (var partition in partitions.Select(r => r["partition_id"]).Where(p => !planned.Contains(p)))
        {
            await new ChunkCopier(context, HelperTables.Landing(spec, context.Step.Index)).CopyAsync(
                new Chunk(
                    $"forward-base-{partition}",
                    spec.ForwardDirection(exchanged: false),
                    CopyPartition.Condition(context, spec, partition),
                    tuning,
                    IsSweep: false,
                    Verify: false),
                ct);
        }
    }
}
