using System.CommandLine;

namespace Godwit.Cli.Commands.Migrations;

/// <summary><c>godwit migrations plan</c>: all checks and the steps that would be done. Changes nothing.</summary>
internal static class PlanMigrationCommand
{
    private static readonly Argument<string> Name = MigrationArguments.Name();

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("plan", "Check whether a migration can run here and show its steps; changes nothing", RunAsync, Name)
    {
        Group = MigrationArguments.Group,
        Groups = [("Parameters", MigrationArguments.Parameters), ("How", [MigrationArguments.Again])],
        Examples = ["godwit migrations plan 0007_country --set days=30"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        List<string> problems = [];
        MigrationArguments.Require(call, problems);
        var request = MigrationArguments.Read(call, call.Get(Name)!, problems);
        await using var migrator = await call.OpenAsync(create: true, problems, migrations: true);
        var options = new Runs.RunOptions();
        return await PlanDialogue.RunAsync(call, migrator, request.Name, await migrator.ProposeAsync(request, options, call.Token), options, planOnly: true, yes: false);
    }
}
