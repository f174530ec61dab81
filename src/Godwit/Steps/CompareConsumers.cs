using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>The gate of the strategy second-consumer: see <see cref="ConsumerComparison"/>.</summary>
internal sealed class CompareConsumers : IStep
{
    public const string Name = "compare-consumers";

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        await CatchUp.CopyUnplannedPartitionsAsync(context, spec, ct);
        await context.Brakes.PassAsync(ct);
        await new SourceGuard(context, spec).IsSuspectAsync(ct);
        await new ConsumerComparison(context, spec, spec.ForwardDirection(exchanged: false), exchanged: false).CompareAsync(withBase: true, ct);
        await context.Journal.FactAsync("verified/forward", true);
    }

    public Task UndoAsync(StepContext context, CancellationToken ct) => Task.CompletedTask;
}
