using System.CommandLine;
using Godwit.Cli.Arguments;
using Godwit.Cli.Rendering;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit errors</c>: all errors of a run, with the server's words. Needs no server.</summary>
internal static class ErrorsCommand
{
    private static readonly Argument<string> Run = Arg.Run();

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("errors", "List all errors of a run, with the server's words", call => ShowAsync(call, call.Get(Run)!), Run)
    {
        Examples = ["godwit errors k3f9a2b1"],
    };

    /// <summary>Shows those of a run, or of the newest run of a migration.</summary>
    public static async Task<int> ShowAsync(Invocation call, string written)
    {
        await using var migrator = await call.OpenStateAsync();
        var run = await call.FindRunAsync(migrator, written);
        var status = await migrator.StatusAsync(run, call.Token);
        if (call.Output.IsJson)
        {
            call.Output.Document(new { status.RunId, status.State, status.Errors });
        }
        else if (status.Errors.Count == 0)
        {
            call.Output.Text.WriteLine($"Run {run} has no errors.");
        }
        else
        {
            call.Screen().Write(ErrorsView.Of(status.Errors, withDetails: true));
        }

        return ExitCodes.Done;
    }
}
