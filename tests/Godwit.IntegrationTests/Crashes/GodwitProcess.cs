using System.Diagnostics;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Runs;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>The command line of Godwit, which works on one rebuild and is killed and called again until that is completed.</summary>
/// <param name="server">The server.</param>
/// <param name="state">The state file.</param>
/// <param name="rebuild">The arguments behind <c>rebuild</c>.</param>
internal sealed class GodwitProcess(Uri server, string state, params IReadOnlyList<string> rebuild)
{
    /// <summary>Begins, or goes on; a run that was killed before it was stored is begun anew.</summary>
    /// <param name="dieAfter">When it is killed, unless it has ended; null for never.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>What it said last.</returns>
    public async Task<string> GoOnAsync(TimeSpan? dieAfter, CancellationToken ct)
    {
        var run = await FindRunAsync();
        if (run is { State: RunState.Completed })
        {
            return "was completed before";
        }

        IReadOnlyList<string> verb = run is null ? ["rebuild", .. rebuild, "--yes"] : ["resume", run.RunId];
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Godwit.Cli.dll"), .. verb, "--server", server.ToString(), "--state", state])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["DOTNET_EnableDiagnostics"] = "0" },
        };
        using var godwit = Process.Start(start)!;
        var said = Task.WhenAll(godwit.StandardOutput.ReadToEndAsync(ct), godwit.StandardError.ReadToEndAsync(ct));
        try
        {
            await godwit.WaitForExitAsync(ct).WaitAsync(dieAfter ?? Timeout.InfiniteTimeSpan, ct);
        }
        catch (TimeoutException)
        {
            godwit.Kill();
            await godwit.WaitForExitAsync(ct);
        }

        return $"{verb[0]} ended with {godwit.ExitCode}: {(await said).SelectMany(text => text.Split('\n')).LastOrDefault(line => line.Length > 0)}";
    }

    /// <summary>The run; null when none was stored.</summary>
    public async Task<RunRecord?> FindRunAsync()
    {
        if (!File.Exists(state))
        {
            return null;
        }

        await using var store = await SqliteStore.OpenAsync(state);
        return (await store.ListRunsAsync()) is [var run, ..] ? run : null;
    }
}
