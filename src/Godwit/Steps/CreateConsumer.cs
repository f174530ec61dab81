using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Lets Kafka fill staging, too: see <see cref="ConsumerPair"/>. Comes before the position is marked, so that no message is in neither.</summary>
internal sealed class CreateConsumer : IStep
{
    public const string Name = "create-consumer";

    public string Kind => Name;

    public Task ForwardAsync(StepContext context, CancellationToken ct) =>
        context.Journal.Has(ConsumerPair.UuidFact) ? Task.CompletedTask : new ConsumerPair(context, context.Shared<RebuildSpec>()).CreateAsync(ct);

    public Task UndoAsync(StepContext context, CancellationToken ct) =>
        new ConsumerPair(context, context.Shared<RebuildSpec>()).DropAsync(context.Journal.Find<Guid?>(ConsumerPair.UuidFact), ct);
}
