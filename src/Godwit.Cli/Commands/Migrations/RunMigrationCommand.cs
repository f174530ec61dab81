using System.CommandLine;
using Godwit.Cli.Arguments;

namespace Godwit.Cli.Commands.Migrations;

/// <summary><c>godwit migrations run</c>: plan, show, ask, then work on the run in the foreground to its end.</summary>
internal static class RunMigrationCommand
{
    private static readonly Argument<string> Name = MigrationArguments.Name();
    private static readonly Option<bool> Yes = Opt.Flag("--yes", "Start without asking");

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("run", "Run a migration", RunAsync, Name)
    {
        Group = MigrationArguments.Group,
        Groups = [("Parameters", MigrationArguments.Parameters), ("How", [Yes, .. RunLimits.Worker, MigrationArguments.Again, .. RunLimits.Cutover, RunLimits.AcceptIrreversible]), ("Brakes and limits", [.. RunLimits.Brakes, RunLimits.StatementTimeout])],
        Examples = ["godwit migrations run 0007_country --set days=30 --yes"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        List<string> problems = [];
        MigrationArguments.Require(call, problems);
        var request = MigrationArguments.Read(call, call.Get(Name)!, problems);
        var options = RunLimits.Read(call, problems) with
        {
            AcceptIrreversible = call.Has(RunLimits.AcceptIrreversible),
            StatementTimeout = call.Get(RunLimits.StatementTimeout),
        };
        if (!call.Has(Yes) && !PlanDialogue.MayAsk(call))
        {
            problems.Add("Nobody is here to answer whether to start: add --yes to start; `godwit migrations plan` shows the plan only.");
        }

        await using var migrator = await call.OpenAsync(create: true, problems, migrations: true);
        return await PlanDialogue.RunAsync(call, migrator, request.Name, await migrator.ProposeAsync(request, options, call.Token), options, planOnly: false, call.Has(Yes));
    }
}
