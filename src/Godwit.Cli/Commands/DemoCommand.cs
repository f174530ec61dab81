using System.CommandLine;
using Godwit.Checks;
using Godwit.Cli.Arguments;
using Godwit.Cli.Demo;
using Godwit.ClickHouse;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit demo</c>: the main job from end to end, on an engine of its own, with proof.</summary>
internal static class DemoCommand
{
    private const long DefaultRows = 2_000_000;
    private const long MostRows = 10_000_000_000;

    private static readonly Option<long?> RowCount = Opt.Parsed("--rows", "N", "Rows of the table at the start [2,000,000]", Opt.Number);
    private static readonly Option<bool> Keep = Opt.Flag("--keep", "Keep the folder with the data and the state file");

    private static readonly Option<bool> Serve = Opt.Flag("--serve", "Stay, with live writers and the web pages, to watch a rebuild in the browser");

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("demo", "Rebuild a table under live writers on an engine of its own, and prove the result", RunAsync)
    {
        Groups = [("Demo", [RowCount, Keep, Serve])],
        Examples = ["godwit demo", "godwit demo --serve", "godwit demo --rows 10000000 --output json"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        var rows = call.Get(RowCount) ?? DefaultRows;
        if (rows is < 1 or > MostRows)
        {
            throw new InvalidRequestException(["--rows must be between 1 and 10,000,000,000."]);
        }

        try
        {
            if (call.Has(Serve))
            {
                await OnSiteAsync(call, async site =>
                {
                    await new DemoServe(call, site, rows).RunAsync();
                    return 0;
                });
                return ExitCodes.Done;
            }

            var result = await OnSiteAsync(call, site => new DemoRun(call, site, rows).RunAsync());
            if (call.Output.IsJson)
            {
                call.Output.Document(result);
            }

            call.Screen().Write(DemoView.Of(result));
            return result.ExitCode();
        }
        catch (OperationCanceledException) when (call.Token.IsCancellationRequested)
        {
            return call.Output.Fail(Failure.Interrupted("The demo was interrupted; its engine is stopped."));
        }
    }

    private static async Task<T> OnSiteAsync<T>(Invocation call, Func<DemoSite, Task<T>> demonstrateAsync)
    {
        await using var site = await DemoSite.StartAsync(call.Has(Keep), call.Output.Error.WriteLine, call.Token);
        call.Output.Error.WriteLine($"ClickHouse runs at {site.Engine.Url} (pid {site.Engine.Pid}) in a folder of its own.");
        try
        {
            return await demonstrateAsync(site);
        }
        catch (ClickHouseUnreachableException e) when (site.Engine.HasExited && !call.Token.IsCancellationRequested)
        {
            var heard = string.Concat(site.Engine.LastErrors.Select(line => $" {line}"));
            throw new IOException($"The demo's ClickHouse ended by itself (exit code {site.Engine.ExitCode}); was there enough memory?{heard}", e);
        }
    }
}
