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
        if (options.Problems() is { Count: > 0 } problems)
        {
            await stderr.WriteLineAsync(string.Join(Environment.NewLine, problems));
            return 2;
        }

        EngineProcess engine;
        try
        {
            engine = await EngineProcess.StartAsync(options, ct);
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

        await using (engine)
        {
            var tcp = engine.TcpPort is { } port ? $", TCP port {port}" : "";
            await stdout.WriteLineAsync($"ClickHouse 26.7 is ready at {engine.Url}{tcp} (data in {Path.GetFullPath(options.Path)}, pid {engine.Pid})");
            await stdout.FlushAsync(ct);
            try
            {
                await engine.WaitForExitAsync(ct);
            }
            catch (OperationCanceledException)
            {
                return 0;
            }

            await stderr.WriteLineAsync($"The engine ended by itself. It said last: {engine.LastErrors()}");
            return 1;
        }
    }
}
