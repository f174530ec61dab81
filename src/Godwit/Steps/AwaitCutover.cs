using Godwit.Metadata;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Waits until a person asks for the cutover, and goes on copying what arrives meanwhile.</summary>
internal sealed class AwaitCutover : IStep
{
    public const string Name = "await-cutover";
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        if (context.Journal.Has("cutover-asked"))
        {
            return;
        }

        var follower = new Follower(context, spec, spec.ForwardDirection(exchanged: false));
        context.Board.Activity = "waiting for `godwit cutover`";
        await context.Services.AwaitPersonAsync(RunState.AwaitingCutover, RunRequest.CutOver, FollowAsync, ct);
        await context.Journal.FactAsync(context.Step.Index, "cutover-asked", true);

        async Task FollowAsync(CancellationToken token)
        {
            await Task.Delay(Period, context.Clock, token);
            if (spec.FollowsWrites)
            {
                await context.Services.Brakes.PassAsync(token);
                await follower.RoundAsync(RoundKind.Following, token);
            }
        }
    }

    public Task UndoAsync(StepContext context, CancellationToken ct) => Task.CompletedTask;
}
