using System.Globalization;

namespace Godwit.Engine;

/// <summary>An engine in the foreground.</summary>
public static class EngineCommand
{
    /// <summary>Runs an engine until <paramref name="ct"/> is cancelled; 0 after a clean stop, 1 if it failed.</summary>
    public static async Task<int> RunAsync(EngineOptions options, TextWriter stdout, TextWriter stderr, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(stdout);
        ArgumentNullException.ThrowIfNull(stderr);
        try
        {
            await using var engine = await EngineProcess.StartAsync(options, ct);
            await stdout.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"ClickHouse {EnginePackage.ClickHouseVersion} is ready at http://127.0.0.1:{engine.HttpPort} (data in {options.Path}, pid {engine.Pid})"));
            await stdout.FlushAsync(CancellationToken.None);
            try
            {
                await engine.WaitForExitAsync(ct);
            }
            catch (OperationCanceledException)
            {
                await engine.StopAsync();
                return 0;
            }

            // A signal to the engine itself stops it cleanly as well.
            if (engine.ExitCode == 0)
            {
                return 0;
            }

            var heard = string.Concat(engine.LastErrors.Select(line => "\n" + line));
            await stderr.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"ClickHouse ended by itself with exit code {engine.ExitCode}; the data in {options.Path} is kept.{heard}"));
            return 1;
        }
        catch (EngineStartException e)
        {
            await stderr.WriteLineAsync(e.Message);
            return 1;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return 0;
        }
    }
}
