using Godwit.Checks;
using Godwit.Cli.Commands.Migrations;
using Godwit.Cli.Rendering;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit check --app-version V</c>: whether an upgrade of the application to that version must wait, and for what.</summary>
internal static class CheckCommand
{
    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("check", "Check whether the application may be upgraded to --app-version; exits with 3 when it must wait", RunAsync)
    {
        Examples = ["godwit check --app-version 1.44.0 --migrations ./migrations"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        List<string> problems = [];
        MigrationArguments.Require(call, problems);
        var version = MigrationArguments.Options(call, problems).AppVersion;
        if (version is null)
        {
            problems.Add("Nothing says to which version the application is to be upgraded: --app-version V.");
        }

        await using var migrator = await call.OpenAsync(create: true, problems, migrations: true);
        var gate = await migrator.UpgradeAsync(version!, call.Token);
        if (call.Output.IsJson)
        {
            call.Output.Document(new { appVersion = version, blocks = gate.Blocks, reasons = gate.Reasons });
        }
        else if (gate.Reasons.Count == 0)
        {
            call.Output.Text.WriteLine($"Nothing keeps the application from being upgraded to {version}.");
        }
        else
        {
            foreach (var reason in gate.Reasons)
            {
                call.Output.Text.WriteLine(Plain.Clean(reason));
            }
        }

        return gate.Blocks
            ? call.Output.Fail(Failure.Refused([new CheckResult("upgrade", CheckVerdict.Refused, $"The upgrade to {version} must wait.")]))
            : ExitCodes.Done;
    }
}
