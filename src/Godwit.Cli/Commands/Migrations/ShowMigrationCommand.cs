using System.CommandLine;
using Godwit.Checks;
using Godwit.Cli.Rendering;

namespace Godwit.Cli.Commands.Migrations;

/// <summary><c>godwit migrations show</c>: what a migration is for, what it needs, and what can be set.</summary>
internal static class ShowMigrationCommand
{
    private static readonly Argument<string> Name = MigrationArguments.Name();

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("show", "Show a migration: what it is for, what it needs, its parameters and checks", RunAsync, Name)
    {
        Group = MigrationArguments.Group,
        Examples = ["godwit migrations show 0007_country --migrations ./migrations"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        List<string> problems = [];
        MigrationArguments.Require(call, problems);
        await using var migrator = await call.OpenAsync(create: true, problems, migrations: true);
        var name = call.Get(Name)!;
        var definition = migrator.FindMigration(name)
            ?? throw new InvalidRequestException([$"There is no migration {name}; `godwit migrations list` shows those that there are."]);
        var overview = (await migrator.MigrationsAsync(call.Token)).Single(m => m.Name == name);
        if (call.Output.IsJson)
        {
            call.Output.Document(MigrationView.Document(overview, definition));
        }
        else
        {
            call.Screen().Write(MigrationView.Of(overview, definition));
        }

        return ExitCodes.Done;
    }
}
