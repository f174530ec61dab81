using Godwit.Checks;

namespace Godwit.Cli.Commands.Migrations;

/// <summary><c>godwit migrations validate</c>: reads all definitions and tells everything that is wrong with them. Needs no server.</summary>
internal static class ValidateMigrationsCommand
{
    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("validate", "Read all migrations and tell what is wrong with them; needs no server", RunAsync)
    {
        Group = MigrationArguments.Group,
        Examples = ["godwit migrations validate --migrations ./migrations"],
    };

    private static Task<int> RunAsync(Invocation call)
    {
        List<string> problems = [];
        MigrationArguments.Require(call, problems);
        var migrations = MigrationArguments.Options(call, problems).Migrations.All;
        if (problems.Count > 0)
        {
            throw new InvalidRequestException(problems);
        }

        if (call.Output.IsJson)
        {
            call.Output.Document(new { migrations = migrations.Select(m => m.Name) });
        }
        else
        {
            call.Output.Text.WriteLine(migrations.Count == 1 ? "1 migration, nothing wrong." : $"{migrations.Count} migrations, nothing wrong.");
        }

        return Task.FromResult(ExitCodes.Done);
    }
}
