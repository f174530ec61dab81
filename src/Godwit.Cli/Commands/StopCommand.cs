using System.CommandLine;
using Godwit.Cli.Arguments;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit stop</c>: ends the process's work on a run, not the run.</summary>
internal static class StopCommand
{
    private static readonly Argument<string> Run = Arg.Run();

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("stop", "Kill the queries of a run and let go of it; it stays resumable", call => SteerAsync(call, call.Get(Run)!), Run) { Examples = ["godwit stop k3f9a2b1"] };

    /// <summary>Does it with a run, or with the newest run of a migration.</summary>
    public static async Task<int> SteerAsync(Invocation call, string written)
    {
        await using var migrator = await call.OpenAsync(create: false);
        var run = await call.FindRunAsync(migrator, written);
        return call.Show(await migrator.StopAsync(run, call.Token), ExitCodes.Hold);
    }
}
