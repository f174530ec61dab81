using System.CommandLine;
using Godwit.Cli.Rendering;

namespace Godwit.Cli.Commands.Migrations;

/// <summary><c>godwit migrations history</c>: the runs of a migration, or of all. Needs no server.</summary>
internal static class MigrationHistoryCommand
{
    private static readonly Argument<string> Name = new("MIGRATION") { Description = "The migration's name [all]", HelpName = "MIGRATION", Arity = ArgumentArity.ZeroOrOne };

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("history", "List the runs of a migration, or of all, the newest first", RunAsync, Name)
    {
        Group = MigrationArguments.Group,
        Examples = ["godwit migrations history", "godwit migrations history 0007_country"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        await using var migrator = await call.OpenStateAsync();
        var name = call.Get(Name);
        var runs = (await migrator.ListAsync(call.Token)).Where(r => name is null ? r.Migration != Plans.Plan.ByHand : r.Migration == name).ToList();
        if (call.Output.IsJson)
        {
            call.Output.Document(new { runs = runs.Select(RunsCommand.ToDocument) });
        }
        else if (runs.Count == 0)
        {
            call.Output.Text.WriteLine(name is null ? "No migration has been run yet." : $"{name} has not been run yet.");
        }
        else
        {
            call.Screen().Write(RunsView.Of(runs));
        }

        return ExitCodes.Done;
    }
}
