using Godwit.Cli.Rendering;
using Godwit.Runs;

namespace Godwit.Cli.Progress;

/// <summary>Shows a run on stderr while it is worked on: a display that moves on a terminal, plain lines elsewhere.</summary>
internal static class Foreground
{
    /// <summary>Does the work and shows its progress.</summary>
    /// <param name="call">The verb's call.</param>
    /// <param name="work">Works, or looks on.</param>
    /// <param name="onStop">What is said when the first Ctrl-C comes; null when it ends no more than the looking.</param>
    public static async Task<RunStatus> RunAsync(
        Invocation call, Func<IProgress<RunStatus>, Task<RunStatus>> work, string? onStop = ProgressText.Stopping)
    {
        var environment = call.Environment;
        if (environment.IsErrorTerminal && !environment.IsDumb)
        {
            var screen = new Screen(call.Output.Error, isTerminal: true, environment);
            return await LiveProgress.RunAsync(screen.Console(), work, onStop, call.Token);
        }

        using var note = onStop is null ? default : call.Token.Register(() => call.Output.Error.WriteLine(onStop));
        return await work(new PlainProgress(call.Output.Error, environment.Clock));
    }
}
