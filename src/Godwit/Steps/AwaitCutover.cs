using Godwit.Metadata;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Waits until a person asks for the cutover, or for what cannot be undone; a rebuild goes on copying what arrives meanwhile.</summary>
internal sealed class AwaitCutover : IStep
{
    public const string Name = "await-cutover";
    private const string Asked = "cutover-asked";
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    public string Kind => Name;

    public bool IsGated => true;

    /// <summary>Keeps that a person has asked for the cutover.</summary>
    public static Task AskAsync(StepJournal journal) => journal.FactAsync(Asked, true);

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        if (context.Journal.Has(Asked))
        {
            return;
        }

        var spec = context.Operation.Spec as RebuildSpec;

        // What is new reaches a second consumer without us: copied, it would be there twice.
        var follower = spec is { FollowsWrites: true, Second: null } ? new Follower(context, spec, spec.ForwardDirection(exchanged: false)) : null;
        context.Board.Activity = context.Step.Description;
        await context.Services.AwaitPersonAsync(RunState.AwaitingCutover, RunRequest.CutOver, FollowAsync, () => AskAsync(context.Journal), ct);

        async Task FollowAsync(CancellationToken token)
        {
            await Task.Delay(Period, context.Clock, token);
            if (follower is not null)
            {
                await context.Brakes.PassAsync(token);
                await follower.RoundAsync(RoundKind.Following, token);
            }
        }
    }

    public Task UndoAsync(StepContext context, CancellationToken ct) => Task.CompletedTask;
}
