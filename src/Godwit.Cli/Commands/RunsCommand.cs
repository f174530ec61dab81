using Godwit.Cli.Rendering;
using Godwit.Metadata;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit runs</c>: what this state file knows. Needs no server.</summary>
internal static class RunsCommand
{
    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("runs", "List all runs, the newest first", RunAsync);

    private static async Task<int> RunAsync(Invocation call)
    {
        await using var migrator = await call.OpenStateAsync();
        var runs = await migrator.ListAsync(call.Token);
        if (call.Output.IsJson)
        {
            call.Output.Document(new { runs = runs.Select(ToDocument) });
        }
        else if (runs.Count == 0)
        {
            call.Output.Text.WriteLine("There are no runs yet: `godwit rebuild DB.TABLE …` makes one.");
        }
        else
        {
            call.Screen().Write(RunsView.Of(runs));
        }

        return ExitCodes.Done;
    }

    /// <summary>A run in a document. Options and progress are the store's business; status shows what follows from them.</summary>
    public static object ToDocument(RunRecord run) => new
    {
        run.RunId,
        run.Migration,
        run.Tables,
        run.Instance,
        run.Strategy,
        run.State,
        run.Problem,
        run.CreatedAt,
        run.StartedAt,
        run.FinishedAt,
        run.RollbackUntil,
        run.CleanedUp,
    };
}
