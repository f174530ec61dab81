using System.CommandLine;
using Godwit.Cli.Arguments;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit pause</c>: holds a run that this or another process owns.</summary>
internal static class PauseCommand
{
    private static readonly Argument<string> Run = Arg.Run();

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("pause", "Hold a run: its queries are killed, its process waits", call => SteerAsync(call, call.Get(Run)!), Run) { Examples = ["godwit pause k3f9a2b1"] };

    /// <summary>Does it with a run, or with the newest run of a migration.</summary>
    public static async Task<int> SteerAsync(Invocation call, string written)
    {
        await using var migrator = await call.OpenAsync(create: false);
        var run = await call.FindRunAsync(migrator, written);
        return call.Show(await migrator.PauseAsync(run, call.Token), ExitCodes.Hold);
    }
}
