using System.CommandLine;
using Godwit.Checks;
using Godwit.Cli.Arguments;
using Godwit.Cli.Rendering;
using Godwit.ClickHouse;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit doctor</c>: all checks that concern a table, whatever it is to become. Changes nothing.</summary>
internal static class DoctorCommand
{
    private static readonly Argument<string> Table = Arg.Table();

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("doctor", "Check whether a table can be rebuilt; changes nothing", RunAsync, Table)
    {
        Examples = ["godwit doctor analytics.events"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        List<string> problems = [];
        if (!QualifiedName.TryParse(call.Get(Table), out var table, out var error))
        {
            problems.Add(error);
        }

        await using var migrator = await call.OpenAsync(create: true, problems);
        var checks = await migrator.DiagnoseAsync(table!, call.Token);
        var blocked = checks.Any(c => c.Blocks);
        if (call.Output.IsJson)
        {
            call.Output.Document(new { table = table!.ToString(), ok = !blocked, checks });
        }
        else
        {
            call.Screen().Write(ChecksView.Of(checks));
            call.Output.Text.WriteLine();
            call.Output.Text.WriteLine(
                blocked ? "What is marked ✗ is in the way of a rebuild. Options that are named here are those of `godwit rebuild`."
                : checks.Any(c => c.Verdict == CheckVerdict.Warning) ? "Nothing is in the way of a rebuild; read what is marked ! before you begin one. Options that are named here are those of `godwit rebuild`."
                : $"Nothing is in the way: `godwit rebuild {table} --plan` with the new definition shows what it would do.");
        }

        return blocked ? ExitCodes.Refused : ExitCodes.Done;
    }
}
