using Godwit.Metadata;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Waits until a person asks for the cutover, or for what cannot be undone; a rebuild goes on copying what arrives meanwhile.</summary>
internal sealed class AwaitCutover : IStep
{
    public const string Name = "await-cutover";
    private const string Asked = "cutover-asked";
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    // Each round adds a part or two and some lines of journal, for days maybe. The last rounds bring the rest, whatever is left.
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

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
        var (pause, since) = (Look, context.Clock.GetTimestamp());
        context.Board.Activity = context.Step.Description;
        await context.Services.AwaitPersonAsync(RunState.AwaitingCutover, RunRequest.CutOver, FollowAsync, () => AskAsync(context.Journal), ct);

        async Task FollowAsync(CancellationToken token)
        {
            await Task.Delay(Look, context.Clock, token);
            if (follower is not null && context.Clock.GetElapsedTime(since) >= pause)
            {
                await context.Brakes.PassAsync(token);
                await follower.RoundAsync(RoundKind.Following, token);
                (pause, since) = (pause * 1.5 < LongestPause ? pause * 1.5 : LongestPause, context.Clock.GetTimestamp());
            }
        }
    }

    public Task UndoAsync(StepContext context, CancellationToken ct) => Task.CompletedTask;
}
