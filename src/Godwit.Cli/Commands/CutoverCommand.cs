using System.CommandLine;
using Godwit.Cli.Arguments;
using Godwit.Cli.Progress;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit cutover</c>: ends the waiting of a run that was started with --defer-cutover.</summary>
internal static class CutoverCommand
{
    private static readonly Argument<string> Run = Arg.Run();

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("cutover", "Let the names change hands in a run that awaits its cutover", RunAsync, Run) { Examples = ["godwit cutover k3f9a2b1"] };

    private static async Task<int> RunAsync(Invocation call)
    {
        await using var migrator = await call.OpenAsync(create: false, migrations: true);
        var run = await call.FindRunAsync(migrator, call.Get(Run)!);
        var status = await Foreground.RunAsync(call, progress => migrator.CutOverAsync(run, progress, call.Token));
        return call.Show(status, ExitCodes.Forward);
    }
}
