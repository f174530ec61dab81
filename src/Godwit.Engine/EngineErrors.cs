namespace Godwit.Engine;

/// <summary>The last lines of an engine's standard error, and what they mean when it does not start.</summary>
internal sealed class EngineErrors
{
    private const int Kept = 20;
    private static readonly TimeSpan CompleteLimit = TimeSpan.FromSeconds(1);
    private readonly Queue<string> _lines = [];
    private readonly Task _reading;

    public EngineErrors(StreamReader stderr) => _reading = ReadAsync(stderr);

    public IReadOnlyList<string> Last
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>ClickHouse stays at its prompt when it could not listen: only this line tells.</summary>
    public bool HasFailed => Last.Any(line => line.StartsWith("Code: ", StringComparison.Ordinal));

    public bool PortWasTaken => Last.Any(line => line.Contains("Address already in use", StringComparison.Ordinal));

    /// <summary>Waits until all is read; a process that inherited the pipe cannot hold this up.</summary>
    public Task CompleteAsync() => Task.WhenAny(_reading, Task.Delay(CompleteLimit));

    /// <summary>Why an engine that wrote this did not start.</summary>
    public EngineStartException Explain(string folder, bool tookTooLong, int exitCode)
    {
        var lines = Last;
        var heard = lines.Count == 0 ? "" : "\n" + string.Join('\n', lines);
        if (lines.Any(line => line.Contains("Cannot lock file", StringComparison.Ordinal)))
        {
            return EngineChecks.Locked(folder, heard);
        }

        if (PortWasTaken)
        {
            return new EngineStartException($"ClickHouse could not listen because its port is taken by another program:{heard}");
        }

        if (tookTooLong)
        {
            return new EngineStartException($"ClickHouse did not answer within a minute of its start.{heard}");
        }

        return new EngineStartException(lines.Count == 0
            ? $"ClickHouse ended at its start with exit code {exitCode} and without saying why."
            : $"ClickHouse did not start; it said:{heard}");
    }

    private async Task ReadAsync(StreamReader stderr)
    {
        try
        {
            while (await stderr.ReadLineAsync() is { } line)
            {
                if (!string.IsNullOrWhiteSpace(line))
                {
                    Keep(line.TrimEnd());
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The process was let go of; what was read stays.
        }
    }

    private void Keep(string line)
    {
        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > Kept)
            {
                _lines.Dequeue();
            }
        }
    }
}
