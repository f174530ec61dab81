using System.CommandLine;
using Godwit.Cli.Arguments;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit pause</c>: holds a run that this or another process owns.</summary>
internal static class PauseCommand
{
    private static readonly Argument<string> Run = Arg.Run();

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("pause", "Hold a run: its queries are killed, its process waits", RunAsync, Run) { Examples = ["godwit pause k3f9a2b1"] };

    private static async Task<int> RunAsync(Invocation call)
    {
        await using var migrator = await call.OpenAsync(create: false);
        var run = await call.FindRunAsync(migrator, call.Get(Run)!);
        return call.Show(await migrator.PauseAsync(run, call.Token), ExitCodes.Hold);
    }
}
