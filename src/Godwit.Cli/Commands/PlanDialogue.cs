using Godwit.Cli.Progress;
using Godwit.Cli.Rendering;
using Godwit.Runs;

namespace Godwit.Cli.Commands;

/// <summary>What follows a proposal: show it, ask, then work on the run in the foreground to its end.</summary>
internal static class PlanDialogue
{
    /// <summary>Whether there is a person who can answer.</summary>
    public static bool MayAsk(Invocation call) => call.Environment.IsInputTerminal && call.Environment.IsErrorTerminal;

    /// <summary>Shows the plan and, unless that is all, runs it.</summary>
    /// <param name="call">The verb's call.</param>
    /// <param name="migrator">The migrator.</param>
    /// <param name="subject">The table or the migration that it is about.</param>
    /// <param name="proposal">The plan and the checks.</param>
    /// <param name="options">How the run is to behave.</param>
    /// <param name="planOnly">Whether to stop after the plan.</param>
    /// <param name="yes">Whether not to ask.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(Invocation call, IMigrator migrator, string subject, Proposal proposal, RunOptions options, bool planOnly, bool yes)
    {
        if (planOnly || proposal.Plan is null || proposal.Checks.Any(c => c.Blocks))
        {
            return Show(call, subject, proposal);
        }

        call.Screen().Write(PlanView.Of(proposal.Plan, proposal.Checks));
        if (proposal.Plan.Steps.Count > 0 && !yes && !await ConfirmAsync(call))
        {
            return call.Output.Fail(Failure.Interrupted("Not started; nothing was changed."));
        }

        var run = await migrator.CreateRunAsync(proposal.Plan, options, call.Token);
        if (call.Has(RunLimits.Detach))
        {
            await migrator.QueueAsync(run, call.Environment.Who, call.Token);
            call.Output.Error.WriteLine($"Run {run} waits for a worker (`godwit worker`); `godwit status {run} --watch` shows it.");
            return call.Show(await migrator.StatusAsync(run, call.Token), ExitCodes.Forward);
        }

        call.Output.Error.WriteLine($"Run {run} begins; `godwit status {run} --watch` shows it from another terminal.");
        var status = await Foreground.RunAsync(call, progress => migrator.RunAsync(run, progress, call.Token));
        return call.Show(status, ExitCodes.Forward);
    }

    private static int Show(Invocation call, string subject, Proposal proposal)
    {
        var blocked = proposal.Plan is null || proposal.Checks.Any(c => c.Blocks);
        var failure = blocked ? Failure.Refused(proposal.Checks) : null;
        if (call.Output.IsJson)
        {
            call.Output.Document(PlanDocument.Of(subject, proposal, failure));
        }
        else
        {
            call.Screen().Write(proposal.Plan is { } plan ? PlanView.Of(plan, proposal.Checks) : ChecksView.Of(proposal.Checks));
        }

        return failure is null ? ExitCodes.Done : call.Output.Fail(failure);
    }

    private static async Task<bool> ConfirmAsync(Invocation call)
    {
        await call.Output.Error.WriteAsync("Start? [y/N] ");
        await call.Output.Error.FlushAsync();

        // A read of the terminal cannot be cancelled, so it is left behind when Ctrl-C comes first.
        var answer = await Task.Run(call.Environment.In.ReadLine, CancellationToken.None).WaitAsync(call.Token);
        return answer?.Trim().ToUpperInvariant() is "Y" or "YES";
    }
}
