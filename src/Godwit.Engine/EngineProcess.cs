using System.Diagnostics;
using System.Globalization;

namespace Godwit.Engine;

/// <summary>A ClickHouse of one's own: a child process that listens on 127.0.0.1 and ends with its parent.</summary>
public sealed class EngineProcess : IAsyncDisposable
{
    private const int Attempts = 5;
    private const int Aborted = 128 + 6;
    private const int SegmentationFault = 128 + 11;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(20);
    private readonly Process _process;
    private readonly EngineErrors _errors;
    private bool _disposed;

    private EngineProcess(Process process, int httpPort, int? tcpPort)
    {
        _process = process;
        _errors = new EngineErrors(process.StandardError);
        Pid = process.Id;
        HttpPort = httpPort;
        TcpPort = tcpPort;
        Url = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{httpPort}/"));
    }

    /// <summary>The port of the HTTP interface.</summary>
    public int HttpPort { get; }

    /// <summary>The port of the native protocol, if it is open.</summary>
    public int? TcpPort { get; }

    /// <summary>The process that runs ClickHouse.</summary>
    public int Pid { get; }

    /// <summary>The HTTP interface; user default, no password.</summary>
    public Uri Url { get; }

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>How it ended; 0 after a clean stop.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>The last lines that ClickHouse wrote about what went wrong.</summary>
    public IReadOnlyList<string> LastErrors => _errors.Last;

    /// <summary>Starts it, and returns when it answers.</summary>
    /// <exception cref="EngineStartException">It did not start; the message says why.</exception>
    public static async Task<EngineProcess> StartAsync(EngineOptions options, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Problems() is { Count: > 0 } problems)
        {
            throw new EngineStartException(string.Join(Environment.NewLine, problems));
        }

        var config = EngineChecks.Config(options.ConfigFile);
        var folder = EngineChecks.Folder(options.Path);
        EngineChecks.Ports(options.HttpPort, options.TcpPort);
        var library = options.LibraryPath is { } own ? Path.GetFullPath(own) : await EnginePackage.EnsureAsync(options.Say, ct);
        if (!File.Exists(library))
        {
            throw new EngineStartException($"There is no ClickHouse library at {library}.");
        }

        for (var attempt = 1; ; attempt++)
        {
            var (http, tcp) = EngineChecks.Ports(options.HttpPort, options.TcpPort);
            var engine = new EngineProcess(EngineLaunch.Start(library, folder, http, tcp, config), http, tcp);
            if (await engine.BecomesReadyAsync(folder, ct) is not { } failure)
            {
                return engine;
            }

            // A free port can be taken by somebody else before ClickHouse has it.
            var lostPort = engine._errors.PortWasTaken && (options.HttpPort == 0 || options.TcpPort == 0);

            // While it gives up, a thread of ClickHouse may crash before the reason is written: ask again for the reason.
            var mute = engine._errors.Last.Count == 0 && engine.ExitCode is (SegmentationFault or Aborted);
            await engine.DisposeAsync();
            if (!(lostPort || mute) || attempt == Attempts)
            {
                throw failure;
            }
        }
    }

    /// <summary>Ends it cleanly: running queries are killed, what is written is kept.</summary>
    public async Task StopAsync()
    {
        try
        {
            await _process.StandardInput.WriteLineAsync(EngineHost.StopWord);
            await _process.StandardInput.FlushAsync();
        }
        catch (IOException)
        {
            // It has ended already.
        }

        using var limit = new CancellationTokenSource(StopLimit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }
    }

    /// <summary>Ends it as a crash does; wait for the end with <see cref="WaitForExitAsync"/>.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Returns when it has ended, for whatever reason.</summary>
    public Task WaitForExitAsync(CancellationToken ct = default) => _process.WaitForExitAsync(ct);

    /// <summary>Stops it if it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (!_process.HasExited)
        {
            await StopAsync();
        }

        _process.Dispose();
    }

    private async Task<EngineStartException?> BecomesReadyAsync(string folder, CancellationToken ct)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var since = Stopwatch.StartNew();
        try
        {
            while (!_process.HasExited && !_errors.HasFailed && since.Elapsed < StartLimit)
            {
                if (await AnswersAsync(client, ct))
                {
                    return null;
                }

                await Task.Delay(PollEvery, ct);
            }
        }
        catch (OperationCanceledException)
        {
            Kill();
            await DisposeAsync();
            throw;
        }

        // Nothing was written yet that would need a clean stop.
        Kill();
        await WaitForExitAsync(CancellationToken.None);
        await _errors.CompleteAsync();
        return _errors.Explain(folder, since.Elapsed >= StartLimit, ExitCode);
    }

    private async Task<bool> AnswersAsync(HttpClient client, CancellationToken ct)
    {
        try
        {
            using var response = await client.GetAsync(new Uri(Url, "ping"), ct);
            return response.IsSuccessStatusCode && !_process.HasExited;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (TaskCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
    }
}
