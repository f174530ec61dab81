using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>Whether the table can be filled by a second consumer, when that is asked for.</summary>
internal sealed class SecondConsumerCheck : IRebuildCheck
{
    public string Name => "second-consumer";

    public Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct) => Task.FromResult(draft switch
    {
        { Request.Strategy: not "second-consumer" } => null,
        { NoSecond: { Count: > 0 } problems } => this.Refuse(string.Join(' ', problems)),
        { Second: { } second } => this.Ok($"{second.Queue.Name} can have a second consumer beside it; what both bring is told by {string.Join(", ", second.Identity)}."),
        _ => null,
    });
}
