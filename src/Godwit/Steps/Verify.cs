using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>The gate before the cutover: see <see cref="Verifier"/>.</summary>
internal sealed class Verify : IStep
{
    public const string Name = "verify";

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        await context.Services.Brakes.PassAsync(ct);
        await RunAsync(context, spec, ct);
        if (spec.ComparesFinal)
        {
            await HoldMerges.ReleaseAsync(context, ct);
        }
    }

    /// <summary>Verifies everything; where rows are compared as FINAL shows them, merges stand still from here on.</summary>
    public static async Task RunAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        if (spec.ComparesFinal)
        {
            await HoldMerges.HoldAsync(context, spec.Source, ct);
        }

        var suspect = spec.FollowsWrites && await new SourceGuard(context, spec).IsSuspectAsync(ct);
        var verifier = new Verifier(context, spec, spec.ForwardDirection(exchanged: false));
        await (spec.Links ? verifier.VerifyLinksAsync(suspect, ct) : verifier.VerifyAsync(ct));
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        if (context.Shared<RebuildSpec>().ComparesFinal)
        {
            await HoldMerges.ReleaseAsync(context, ct);
        }
    }
}
