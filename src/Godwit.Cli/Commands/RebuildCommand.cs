using System.CommandLine;
using Godwit.Checks;
using Godwit.Cli.Arguments;
using Godwit.Cli.Progress;
using Godwit.Cli.Rendering;
using Godwit.Rebuild;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit rebuild</c>: plan, show, ask, then work on the run in the foreground to its end.</summary>
internal static class RebuildCommand
{
    private static readonly Argument<string> Table = Arg.Table();
    private static readonly Option<bool> PlanOnly = Opt.Flag("--plan", "Print the plan and stop; nothing is changed");
    private static readonly Option<bool> Yes = Opt.Flag("--yes", "Start without asking");

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("rebuild", "Give a table another definition while rows keep arriving", RunAsync, Table)
    {
        Groups =
        [
            ("What the table is to become", RebuildChanges.Options),
            ("How", [RebuildChanges.Strategy, RebuildChanges.Accept, PlanOnly, Yes, .. RebuildLimits.Cutover]),
            ("Brakes and limits", RebuildLimits.Brakes),
        ],
        Examples =
        [
            "godwit rebuild analytics.events --order-by '(team_id, toDate(timestamp), event)' --plan",
            "godwit rebuild analytics.events --engine 'ReplacingMergeTree(version)' --defer-cutover --yes",
            "godwit rebuild analytics.events --ddl events.sql --max-rows-per-second 500000",
        ],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        List<string> problems = [];
        var request = RebuildChanges.Read(call, call.Get(Table)!, problems);
        var options = RebuildLimits.Read(call, problems);
        var planOnly = call.Has(PlanOnly);
        var mayAsk = call.Environment.IsInputTerminal && call.Environment.IsErrorTerminal;
        if (!planOnly && !call.Has(Yes) && !mayAsk)
        {
            problems.Add("Nobody is here to answer whether to start: add --yes to start, or --plan to see the plan only.");
        }

        await using var migrator = await call.OpenAsync(create: true, problems);
        var proposal = await migrator.ProposeAsync(request!, options, call.Token);
        if (planOnly || proposal.Plan is null || proposal.Checks.Any(c => c.Blocks))
        {
            return ShowPlan(call, request!, proposal);
        }

        call.Screen().Write(PlanView.Of(proposal.Plan, proposal.Checks));
        if (proposal.Plan.Steps.Count > 0 && !call.Has(Yes) && !await ConfirmAsync(call))
        {
            return call.Output.Fail(Failure.Interrupted("Not started; nothing was changed."));
        }

        var run = await migrator.CreateRunAsync(proposal.Plan, options, call.Token);
        call.Output.Error.WriteLine($"Run {run} begins; `godwit status {run} --watch` shows it from another terminal.");
        var status = await Foreground.RunAsync(call, progress => migrator.RunAsync(run, progress, call.Token));
        return call.Show(status, ExitCodes.Forward);
    }

    private static int ShowPlan(Invocation call, RebuildRequest request, Proposal proposal)
    {
        var blocked = proposal.Plan is null || proposal.Checks.Any(c => c.Blocks);
        var failure = blocked ? Failure.Refused(proposal.Checks) : null;
        if (call.Output.IsJson)
        {
            call.Output.Document(PlanDocument.Of(request.Table.ToString(), proposal, failure));
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
