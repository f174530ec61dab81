using System.CommandLine;

namespace Godwit.Cli.Commands.Migrations;

/// <summary>The verbs that steer the newest run of a migration: the same as those for runs, which take a migration's name too.</summary>
internal static class SteerMigrationCommands
{
    /// <summary>The verbs.</summary>
    public static IReadOnlyList<Verb> Verbs { get; } =
    [
        Of("pause", "Hold a migration: its queries are killed, its process waits", PauseCommand.SteerAsync),
        Of("resume", "Go on with a paused, failed or interrupted migration", ResumeCommand.SteerAsync),
        Of("stop", "Kill the queries of a migration and let go of it; it stays resumable", StopCommand.SteerAsync),
        Of("rollback", "Undo a migration; after its end as long as the rollback window is open", RollbackCommand.SteerAsync, ("How", [RollbackCommand.Force])),
        Of("errors", "List all errors of a migration's newest run, with the server's words", ErrorsCommand.ShowAsync),
    ];

    private static Verb Of(string name, string summary, Func<Invocation, string, Task<int>> runAsync, params (string, IReadOnlyList<Option>)[] groups)
    {
        var migration = MigrationArguments.Name();
        return new Verb(name, summary, call => runAsync(call, call.Get(migration)!), migration)
        {
            Group = MigrationArguments.Group,
            Groups = groups,
            Examples = [$"godwit migrations {name} 0007_country"],
        };
    }
}
