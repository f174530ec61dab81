using System.CommandLine;
using Godwit.Cli.Arguments;

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
            ("How", [RebuildChanges.Strategy, RebuildChanges.Identity, RebuildChanges.MaterializeLater, .. RebuildChanges.Hooks, RebuildChanges.Accept, PlanOnly, Yes, .. RunLimits.Worker, .. RunLimits.Cutover]),
            ("Brakes and limits", RunLimits.Brakes),
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
        var options = RunLimits.Read(call, problems);
        var planOnly = call.Has(PlanOnly);
        if (!planOnly && !call.Has(Yes) && !PlanDialogue.MayAsk(call))
        {
            problems.Add("Nobody is here to answer whether to start: add --yes to start, or --plan to see the plan only.");
        }

        await using var migrator = await call.OpenAsync(create: true, problems);
        var proposal = await migrator.ProposeAsync(request!, options, call.Token);
        return await PlanDialogue.RunAsync(call, migrator, request!.Table.ToString(), proposal, options, planOnly, call.Has(Yes));
    }
}
