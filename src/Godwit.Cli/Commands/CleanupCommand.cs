using System.CommandLine;
using Godwit.Cli.Arguments;
using Godwit.Cli.Progress;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit cleanup</c>: drops what was kept for a rollback.</summary>
internal static class CleanupCommand
{
    private static readonly Argument<string> Run = Arg.Run();

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("cleanup", "End the rollback window: drop the retired table", RunAsync, Run) { Examples = ["godwit cleanup k3f9a2b1"] };

    private static async Task<int> RunAsync(Invocation call)
    {
        await using var migrator = await call.OpenAsync(create: false);
        var run = await call.FindRunAsync(migrator, call.Get(Run)!);
        var status = await Foreground.RunAsync(call, progress => migrator.CleanUpAsync(run, progress, call.Token));
        return call.Show(status, ExitCodes.Forward);
    }
}
