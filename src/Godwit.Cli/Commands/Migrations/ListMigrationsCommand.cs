using Godwit.Cli.Rendering;

namespace Godwit.Cli.Commands.Migrations;

/// <summary><c>godwit migrations list</c>: every migration, where it is, whether it is required here, and what it waits for.</summary>
internal static class ListMigrationsCommand
{
    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("list", "List the migrations: state, required or not, what they wait for", RunAsync)
    {
        Group = MigrationArguments.Group,
        Examples = ["godwit migrations list --migrations ./migrations"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        List<string> problems = [];
        MigrationArguments.Require(call, problems);
        await using var migrator = await call.OpenAsync(create: true, problems, migrations: true);
        var migrations = await migrator.MigrationsAsync(call.Token);
        if (call.Output.IsJson)
        {
            call.Output.Document(new { migrations });
        }
        else if (migrations.Count == 0)
        {
            call.Output.Text.WriteLine($"There are no migrations in {MigrationArguments.Path(call)}: `godwit migrations new NAME` writes one to begin with.");
        }
        else
        {
            call.Screen().Write(MigrationsView.Of(migrations));
        }

        return ExitCodes.Done;
    }
}
