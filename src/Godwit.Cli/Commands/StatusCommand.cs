using System.CommandLine;
using Godwit.Checks;
using Godwit.Cli.Arguments;
using Godwit.Cli.Progress;
using Godwit.Runs;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit status</c>: where a run is. Reads the state file only, so that it answers when the server does not.</summary>
internal static class StatusCommand
{
    private static readonly Argument<string> Run = Arg.RunOrNewest();
    private static readonly Option<bool> Watch = Opt.Flag("--watch", "Keep showing it until the run ends or Ctrl-C");

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("status", "Show where a run is", RunAsync, Run)
    {
        Groups = [("Options", [Watch])],
        Examples = ["godwit status", "godwit status k3f9a2b1 --watch", "godwit status k3f9a2b1 --output json"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        await using var migrator = await call.OpenStateAsync();
        var run = call.Get(Run) is { } written
            ? await call.FindRunAsync(migrator, written)
            : await NewestAsync(migrator, call.Token);
        var status = call.Has(Watch)
            ? await Foreground.RunAsync(call, progress => WatchAsync(call, migrator, run, progress), onStop: null)
            : await migrator.StatusAsync(run, call.Token);

        // The question was answered, whatever the answer is.
        return call.Show(status, _ => ExitCodes.Done);
    }

    private static async Task<string> NewestAsync(IMigrator migrator, CancellationToken ct) =>
        await migrator.ListAsync(ct) is [var newest, ..]
            ? newest.RunId
            : throw new InvalidRequestException(["There are no runs in this state file yet: `godwit rebuild DB.TABLE …` makes one."]);

    private static async Task<RunStatus> WatchAsync(Invocation call, IMigrator migrator, string run, IProgress<RunStatus> progress)
    {
        var status = await migrator.StatusAsync(run, call.Token);
        try
        {
            while (!HasEnded(status))
            {
                progress.Report(status);
                await Task.Delay(TimeSpan.FromSeconds(1), call.Environment.Clock, call.Token);
                status = await migrator.StatusAsync(run, call.Token);
            }
        }
        catch (OperationCanceledException) when (call.Token.IsCancellationRequested)
        {
            // Ctrl-C ends the looking, not the run: what was seen last is the answer.
        }

        return status;
    }

    private static bool HasEnded(RunStatus status) => status.State switch
    {
        RunState.Paused or RunState.NotStarted => status.Owner is null,
        RunState.Starting or RunState.Running or RunState.RollingBack or RunState.AwaitingCutover => false,
        _ => true,
    };
}
