using Godwit.Cli.Rendering;
using Godwit.Runs;

namespace Godwit.Cli.Progress;

/// <summary>Shows a run on stderr while it is worked on: a display that moves on a terminal, plain lines elsewhere.</summary>
internal static class Foreground
{
    /// <summary>Does the work and shows its progress.</summary>
    public static async Task<RunStatus> RunAsync(Invocation call, Func<IProgress<RunStatus>, Task<RunStatus>> work)
    {
        var environment = call.Environment;
        if (environment.IsErrorTerminal && !environment.IsDumb)
        {
            var screen = new Screen(call.Output.Error, isTerminal: true, environment);
            return await LiveProgress.RunAsync(screen.Console(), work, call.Token);
        }

        using var note = call.Token.Register(() => call.Output.Error.WriteLine(ProgressText.Stopping));
        return await work(new PlainProgress(call.Output.Error, environment.Clock));
    }
}
