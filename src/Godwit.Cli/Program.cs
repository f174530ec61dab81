using System.Runtime.InteropServices;

namespace Godwit.Cli;

/// <summary>The process around <see cref="CliApp"/>: signals, the real console, and the answer that must be quick.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        // Before anything is loaded: scripts and package managers ask this often.
        if (args is ["--version"])
        {
            Console.Out.WriteLine(ProductVersion.Text);
            return ExitCodes.Done;
        }

        return await RunAsync(args);
    }

    private static async Task<int> RunAsync(string[] args)
    {
        using var stop = new CancellationTokenSource();
        var signals = 0;
        void OnSignal(PosixSignalContext signal)
        {
            // The first one asks; a second one is a person who does not want to wait, and the journal makes that safe.
            signal.Cancel = true;
            if (Interlocked.Increment(ref signals) > 1)
            {
                Environment.Exit(ExitCodes.Interrupted);
            }

            // Callbacks of the token may take long, and the second signal is delivered on this thread.
            _ = Task.Run(stop.Cancel);
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        return await CliApp.RunAsync(args, Console.Out, Console.Error, CliEnvironment.OfProcess(), stop.Token);
    }
}
