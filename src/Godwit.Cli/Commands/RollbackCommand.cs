using System.CommandLine;
using Godwit.Cli.Arguments;
using Godwit.Cli.Progress;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit rollback</c>: puts everything back as it was before the run.</summary>
internal static class RollbackCommand
{
    private static readonly Argument<string> Run = Arg.Run();

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("rollback", "Undo a run; after the cutover as long as the rollback window is open", RunAsync, Run) { Examples = ["godwit rollback k3f9a2b1"] };

    private static async Task<int> RunAsync(Invocation call)
    {
        await using var migrator = await call.OpenAsync(create: false);
        var run = await call.FindRunAsync(migrator, call.Get(Run)!);
        var status = await Foreground.RunAsync(call, progress => migrator.RollbackAsync(run, progress, call.Token));
        return call.Show(status, ExitCodes.Rollback);
    }
}
