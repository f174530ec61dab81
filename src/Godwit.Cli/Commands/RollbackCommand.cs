using System.CommandLine;
using Godwit.Cli.Arguments;
using Godwit.Cli.Progress;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit rollback</c>: puts everything back as it was before the run.</summary>
internal static class RollbackCommand
{
    private static readonly Argument<string> Run = Arg.Run();

    /// <summary>The option that undoes what others are built on.</summary>
    public static readonly Option<bool> Force = Opt.Flag("--force", "Also when migrations that depend on it are done or begun");

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("rollback", "Undo a run; after the cutover as long as the rollback window is open", call => SteerAsync(call, call.Get(Run)!), Run)
    {
        Groups = [("How", [Force])],
        Examples = ["godwit rollback k3f9a2b1"],
    };

    /// <summary>Does it with a run, or with the newest run of a migration.</summary>
    public static async Task<int> SteerAsync(Invocation call, string written)
    {
        await using var migrator = await call.OpenAsync(create: false, migrations: true);
        var run = await call.FindRunAsync(migrator, written);
        var status = await Foreground.RunAsync(call, progress => migrator.RollbackAsync(run, progress, call.Has(Force), call.Token));
        return call.Show(status, ExitCodes.Rollback);
    }
}
