using System.CommandLine;
using Godwit.Cli.Arguments;
using Godwit.Cli.Progress;
using Godwit.Runs;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit resume</c>: goes on with a run: tells its owner, or takes it over and works on it here.</summary>
internal static class ResumeCommand
{
    private static readonly Argument<string> Run = Arg.Run();

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("resume", "Go on with a paused, failed or interrupted run", call => SteerAsync(call, call.Get(Run)!), Run) { Examples = ["godwit resume k3f9a2b1"] };

    /// <summary>Does it with a run, or with the newest run of a migration.</summary>
    public static async Task<int> SteerAsync(Invocation call, string written)
    {
        await using var migrator = await call.OpenAsync(create: false, migrations: true);
        var run = await call.FindRunAsync(migrator, written);
        var status = await Foreground.RunAsync(call, progress => migrator.ResumeAsync(run, progress, call.Token));

        // A rollback that stood still was gone on with.
        return call.Show(status, state => state == RunState.RolledBack ? ExitCodes.Done : ExitCodes.Forward(state));
    }
}
