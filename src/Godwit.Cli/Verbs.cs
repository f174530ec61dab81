using System.CommandLine;
using Godwit.Cli.Arguments;
using Godwit.Cli.Commands;
using Godwit.Cli.Commands.Migrations;

namespace Godwit.Cli;

/// <summary>The explicit list of verbs, and the tree that the parser reads.</summary>
internal static class Verbs
{
    /// <summary>Shows the help.</summary>
    public static readonly Option<bool> HelpFlag = new("--help", "-h", "-?") { Description = "Show this text", Recursive = true, Arity = ArgumentArity.Zero };

    /// <summary>Shows the version.</summary>
    public static readonly Option<bool> VersionFlag = new("--version") { Description = "Show the version", Arity = ArgumentArity.Zero };

    /// <summary>What verbs that belong together are about.</summary>
    public static readonly IReadOnlyDictionary<string, string> GroupSummaries = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [MigrationArguments.Group] = "Migrations that a product ships: which there are, where they are, run and steer them",
    };

    /// <summary>All verbs, in the order in which the help shows them.</summary>
    public static IReadOnlyList<Verb> All { get; } =
    [
        RebuildCommand.Verb,
        StatusCommand.Verb,
        PauseCommand.Verb,
        ResumeCommand.Verb,
        StopCommand.Verb,
        LimitCommand.Verb,
        CutoverCommand.Verb,
        RollbackCommand.Verb,
        CleanupCommand.Verb,
        RunsCommand.Verb,
        ErrorsCommand.Verb,
        DoctorCommand.Verb,
        CompareCommand.Verb,
        ServeCommand.Verb,
        WorkerCommand.Verb,
        CheckCommand.Verb,
        SettingsCommand.Verb,
        ListMigrationsCommand.Verb,
        ShowMigrationCommand.Verb,
        PlanMigrationCommand.Verb,
        RunMigrationCommand.Verb,
        .. SteerMigrationCommands.Verbs,
        MigrationHistoryCommand.Verb,
        ValidateMigrationsCommand.Verb,
        NewMigrationCommand.Verb,
        EngineCommand.Verb,
        DemoCommand.Verb,
    ];

    /// <summary>The tree.</summary>
    public static RootCommand Root { get; } = Plant();

    private static RootCommand Plant()
    {
        var root = new RootCommand("Godwit runs long data migrations on ClickHouse without stopping the product that writes to it.");
        root.Options.Clear();
        root.Directives.Clear();
        foreach (var option in ServerOptions.All.Append(HelpFlag).Append(VersionFlag))
        {
            root.Options.Add(option);
        }

        foreach (var verb in All)
        {
            GroupOf(root, verb).Subcommands.Add(verb.Command);
        }

        return root;
    }

    private static Command GroupOf(Command root, Verb verb)
    {
        if (verb.Group is not { } name)
        {
            return root;
        }

        if (root.Subcommands.FirstOrDefault(c => c.Name == name) is not { } group)
        {
            root.Subcommands.Add(group = new Command(name, GroupSummaries[name]));
        }

        return group;
    }
}
