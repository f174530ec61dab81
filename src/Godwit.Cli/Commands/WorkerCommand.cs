using Godwit.Cli.Rendering;
using Godwit.Workers;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit worker</c>: works on runs until it is stopped. Ctrl-C and SIGTERM hand what it works on to another worker.</summary>
internal static class WorkerCommand
{
    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("worker", "Work on runs until stopped: queued ones, those whose process died, and what is required", RunAsync)
    {
        Examples = ["godwit worker --migrations ./migrations --app-version 1.42.0"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        await using var migrator = await call.OpenAsync(create: true, migrations: true);
        call.Output.Error.WriteLine("The worker is ready; Ctrl-C lets go of what it works on, for another one to go on with.");
        await migrator.WorkAsync(new Lines(call), call.Token);
        return ExitCodes.Done;
    }

    private sealed class Lines(Invocation call) : IProgress<WorkerEvent>
    {
        public void Report(WorkerEvent value) =>
            call.Output.Error.WriteLine(Plain.Clean($"{Plain.Moment(call.Environment.Clock.GetUtcNow())} {(value.RunId is null ? "" : $"{value.RunId} ")}{value.Message}"));
    }
}
