namespace Godwit.Engine;

/// <summary>An engine in the foreground, for people and scripts.</summary>
public static class EngineCommand
{
    /// <summary>Runs an engine until the token is cancelled or it ends by itself.</summary>
    /// <param name="options">How it is started.</param>
    /// <param name="stdout">Gets one line when it is ready.</param>
    /// <param name="stderr">Gets a sentence when it could not start or ended by itself.</param>
    /// <param name="ct">Stops it.</param>
    /// <returns>0 when it was stopped, 1 when it failed, 2 when the options cannot be used.</returns>
    public static async Task<int> RunAsync(EngineOptions options, TextWriter stdout, TextWriter stderr, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(stdout);
        ArgumentNullException.ThrowIfNull(stderr);
        if (options.Problems() is { Count: > 0 } problems)
        {
            await stderr.WriteLineAsync(string.Join(Environment.NewLine, problems));
            return 2;
        }

        try
        {
            await using var engine = await EngineProcess.StartAsync(options, ct);
            var data = Path.GetFullPath(options.Path);
            var tcp = engine.TcpPort is { } port ? $", TCP port {port}" : "";
            await stdout.WriteLineAsync(
                $"ClickHouse {EnginePackage.ClickHouseVersion} is ready at http://127.0.0.1:{engine.HttpPort}{tcp} (data in {data}, pid {engine.Pid})");
            await stdout.FlushAsync(CancellationToken.None);
            return await UntilTheEndAsync(engine, data, stderr, ct);
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

    private static async Task<int> UntilTheEndAsync(EngineProcess engine, string data, TextWriter stderr, CancellationToken ct)
    {
        try
        {
            await engine.WaitForExitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            await engine.StopAsync();
            if (engine.ExitCode == 0)
            {
                return 0;
            }

            await stderr.WriteLineAsync($"ClickHouse did not stop in time and was killed; the data in {data} is kept.");
            return 1;
        }

        if (engine.ExitCode == 0)
        {
            await stderr.WriteLineAsync($"ClickHouse was told to stop by a signal of its own; the data in {data} is kept.");
            return 0;
        }

        var heard = string.Concat(engine.LastErrors.Select(line => Environment.NewLine + line));
        await stderr.WriteLineAsync($"ClickHouse ended by itself with exit code {engine.ExitCode}; the data in {data} is kept.{heard}");
        return 1;
    }
}
