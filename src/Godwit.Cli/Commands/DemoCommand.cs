using System.CommandLine;
using Godwit.Cli.Demo;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit demo</c>: the main job from nothing, with the proof, in about a minute.</summary>
internal static class DemoCommand
{
    private static readonly Option<long> Rows = new("--rows") { Description = "Events in the table at the start", HelpName = "N", DefaultValueFactory = _ => 2_000_000 };
    private static readonly Option<bool> Keep = Arguments.Opt.Flag("--keep", "Leave the folder with the data and the state file behind");

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("demo", "Rebuild a table under live writers on an engine of its own, and prove it", RunAsync)
    {
        Groups = [("Demo", [Rows, Keep])],
        Examples = ["godwit demo", "godwit demo --rows 10000000 --output json"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        var rows = call.Get(Rows);
        if (rows is < 1 or > 1_000_000_000)
        {
            throw new Checks.InvalidRequestException([$"--rows {rows} cannot be made: give a number from 1 to 1000000000."]);
        }

        var folder = Directory.CreateTempSubdirectory("godwit-demo-").FullName;
        try
        {
            return Show(call, await new Demonstration(call, folder).RunAsync(rows));
        }
        finally
        {
            if (call.Has(Keep))
            {
                await call.Output.Error.WriteLineAsync($"The data and the state file are left in {folder}.");
            }
            else
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static int Show(Invocation call, DemoResult result)
    {
        if (call.Output.IsJson)
        {
            call.Output.Document(result);
        }
        else
        {
            var text = call.Output.Text;
            string Mark(bool good) => good ? "✓" : "✗";
            text.WriteLine();
            text.WriteLine($"{Mark(result.IsGood())} {EventsTable.Name} is {result.State}: {result.RowsBefore:N0} rows before, {result.RowsWritten:N0} written meanwhile, {result.RowsAfter:N0} now.");
            text.WriteLine($"{Mark(result.Lost == 0)} {result.Lost} rows lost");
            text.WriteLine($"{Mark(result.Duplicated == 0)} {result.Duplicated} rows there twice");
            text.WriteLine($"{Mark(result.RefusedWrites == 0)} {result.RefusedWrites} writes refused ({result.RetriedWrites} sent again because they met the exchange)");
            text.WriteLine($"  Copied in {result.CopySeconds:0.0} s ({result.RowsPerSecond:N0} rows/s); the exchange took {result.CutoverMs:0.0} ms; no row was out of sight for more than {result.VisibilityGapMs:0} ms.");
            text.WriteLine($"  Inserts took {result.InsertP99MsBefore:0.0} ms before and {result.InsertP99MsDuring:0.0} ms during the rebuild (p99).");
            text.WriteLine($"  One event of one team over all time: {result.QueryRowsBefore:N0} rows read before, {result.QueryRowsAfter:N0} now ({result.QueryMsBefore:0.0} ms -> {result.QueryMsAfter:0.0} ms).");
        }

        return result.IsGood() ? ExitCodes.Done : ExitCodes.Failed;
    }
}
