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
        await context.Brakes.PassAsync(ct);
        try
        {
            await CompareAsync(context, spec, await StandStillAsync(context, spec, ct), ct);
        }
        finally
        {
            await LetGoAsync(context, spec);
        }

        if (spec.ComparesFinal)
        {
            await MergeControl.ReleaseAsync(context, spec, spec.Source, spec.From, ct);
        }
    }

    /// <summary>Waits for mutations of the source; where merges remove or fold rows, none runs from here on until <see cref="LetGoAsync"/>.</summary>
    /// <returns>Whether rows may have changed in place since the guard looked last.</returns>
    public static async Task<bool> StandStillAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        if (spec.ComparesFinal)
        {
            await MergeControl.HoldAsync(context, spec.Source, ct);
        }

        var guard = new SourceGuard(context, spec);
        var isSuspect = spec.FollowsWrites && await guard.IsSuspectAsync(ct);
        if (MergeControl.IsNeeded(spec))
        {
            await MergeControl.StopAsync(context, spec.Source, ct);
            isSuspect |= spec.FollowsWrites && await guard.IsSuspectNowAsync(ct);
        }

        return isSuspect;
    }

    /// <summary>Lets merges and mutations of the source go on, also when the run is being stopped.</summary>
    public static Task LetGoAsync(StepContext context, RebuildSpec spec) =>
        MergeControl.IsNeeded(spec) ? MergeControl.StartAsync(context, spec.Source, CancellationToken.None) : Task.CompletedTask;

    /// <summary>Compares everything, and repairs what differs.</summary>
    public static Task CompareAsync(StepContext context, RebuildSpec spec, bool isSuspect, CancellationToken ct)
    {
        var verifier = new Verifier(context, spec, spec.ForwardDirection(exchanged: false));

        // Links are not repaired, so what an earlier step has seen stays as true as what is seen now.
        return spec.Way == RebuildWay.Link ? verifier.VerifyLinksAsync(isSuspect || context.Journal.Has(SourceGuard.SuspectFact), ct) : verifier.VerifyAsync(ct);
    }

    public Task UndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        return MergeControl.IsNeeded(spec) ? MergeControl.ReleaseAsync(context, spec, spec.Source, spec.From, ct) : Task.CompletedTask;
    }
}
