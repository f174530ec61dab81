using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text;

namespace Godwit.Engine;

/// <summary>
/// A real ClickHouse server in a child process, listening on 127.0.0.1 only. It ends when this object is disposed of, and by itself
/// when this process is gone.
/// </summary>
public sealed class EngineProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(30);
    private readonly Process _process;
    private readonly StringBuilder _errors = new();

    private EngineProcess(Process process, int httpPort, int? tcpPort)
    {
        (_process, HttpPort, TcpPort) = (process, httpPort, tcpPort);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.OutputDataReceived += (_, _) => { };
    }

    /// <summary>The port of its HTTP server.</summary>
    public int HttpPort { get; }

    /// <summary>The port of its native TCP server; null when it has none.</summary>
    public int? TcpPort { get; }

    /// <summary>Where it answers.</summary>
    public Uri Url => new($"http://127.0.0.1:{HttpPort}/");

    /// <summary>The process that is ClickHouse.</summary>
    public int Pid => _process.Id;

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Starts an engine and waits until it answers.</summary>
    /// <exception cref="EngineStartException">It could not be fetched or started.</exception>
    public static async Task<EngineProcess> StartAsync(EngineOptions options, CancellationToken ct = default)
    {
        if (options.Problems() is { Count: > 0 } problems)
        {
            throw new EngineStartException(string.Join(Environment.NewLine, problems));
        }

        var library = options.LibraryPath ?? await EnginePackage.EnsureAsync(options.Say, ct);
        RequireFolder(options.Path);
        var httpPort = FreePort(options.HttpPort, "--http-port");
        var tcpPort = options.TcpPort is { } wanted ? FreePort(wanted, "--tcp-port") : (int?)null;
        var engine = new EngineProcess(new Process { StartInfo = StartInfo(options, library, httpPort, tcpPort) }, httpPort, tcpPort);
        engine._process.Start();
        engine._process.BeginErrorReadLine();
        engine._process.BeginOutputReadLine();
        try
        {
            await engine.WaitUntilReadyAsync(options, ct);
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }

        return engine;
    }

    /// <summary>Stops it cleanly: kills its queries and lets it write what it has. After half a minute it is killed.</summary>
    public async Task StopAsync()
    {
        if (_process.HasExited)
        {
            return;
        }

        _ = Native.Kill(_process.Id, Native.SigTerm);
        using var patience = new CancellationTokenSource(StopPatience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Kill();
            await _process.WaitForExitAsync();
        }
    }

    /// <summary>Ends it at once, as a power failure would (SIGKILL).</summary>
    public void Kill() => _ = Native.Kill(_process.Id, Native.SigKill);

    /// <summary>Waits until it has ended.</summary>
    public Task WaitForExitAsync(CancellationToken ct = default) => _process.WaitForExitAsync(ct);

    /// <summary>What it wrote to its error output last.</summary>
    public string LastErrors()
    {
        lock (_errors)
        {
            return _errors.ToString().Trim();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
    }

    private static ProcessStartInfo StartInfo(EngineOptions options, string library, int httpPort, int? tcpPort)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self : "dotnet")
        {
            // The write end of this pipe lives as long as this process: the child ends when it closes.
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        List<string> arguments =
        [
            HostAssembly(), EngineHost.Verb, library,
            $"--path={Path.GetFullPath(options.Path)}", "--listen_host=127.0.0.1",
            string.Create(CultureInfo.InvariantCulture, $"--http_port={httpPort}"),
        ];
        var listen = "SYSTEM START LISTEN HTTP";
        if (tcpPort is not null)
        {
            arguments.Add(string.Create(CultureInfo.InvariantCulture, $"--tcp_port={tcpPort}"));
            listen += "; SYSTEM START LISTEN TCP";
        }

        if (options.ConfigFile is not null)
        {
            arguments.Add($"--config-file={Path.GetFullPath(options.ConfigFile)}");
        }

        arguments.AddRange(["--query", listen, "--interactive", "--history_file=/dev/null", "--disable_suggestion"]);
        arguments.ForEach(start.ArgumentList.Add);
        start.Environment["DOTNET_TieredCompilation"] = "1";
        start.Environment["DOTNET_gcServer"] = "0";
        return start;
    }

    // The program that knows the host's verb: this one, or the command line beside it (tests, benchmarks).
    private static string HostAssembly()
    {
        const string Name = "Godwit.Cli";
        var entry = Assembly.GetEntryAssembly();
        var path = entry?.GetName().Name == Name ? entry.Location : Path.Combine(AppContext.BaseDirectory, Name + ".dll");
        return File.Exists(path) ? path : throw new EngineStartException($"{path} is missing, so the engine's process cannot be started. Build {Name} beside this program.");
    }

    private static void RequireFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
            var probe = Path.Combine(path, $".godwit-{Environment.ProcessId}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EngineStartException($"The folder {path} cannot be written to: {e.Message} Name another with --path.", e);
        }
    }

    private static int FreePort(int wanted, string option)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, wanted);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        catch (SocketException e)
        {
            throw new EngineStartException($"Port {wanted} of 127.0.0.1 cannot be used: {e.Message}. Choose another with {option}, or 0 for a free one.", e);
        }
    }

    private async Task WaitUntilReadyAsync(EngineOptions options, CancellationToken ct)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var since = Stopwatch.StartNew();
        while (since.Elapsed < StartPatience)
        {
            if (_process.HasExited)
            {
                await _process.WaitForExitAsync(ct);
                throw new EngineStartException(Explain(options));
            }

            if (await AnswersAsync(http, ct))
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(25), ct);
        }

        throw new EngineStartException($"The engine did not answer within {StartPatience.TotalSeconds:0} s. It said last: {LastErrors()}");
    }

    private async Task<bool> AnswersAsync(HttpClient http, CancellationToken ct)
    {
        try
        {
            return await http.GetStringAsync(new Uri(Url, "ping"), ct) == "Ok.\n";
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

    private string Explain(EngineOptions options)
    {
        var said = LastErrors();
        return said switch
        {
            _ when said.Contains("Cannot lock file", StringComparison.Ordinal) || said.Contains("CANNOT_OPEN_FILE", StringComparison.Ordinal) && said.Contains("status", StringComparison.Ordinal) =>
                $"The folder {options.Path} is in use by another engine. Stop that one, or name another folder with --path. ({said})",
            _ when options.ConfigFile is not null => $"The engine does not start with the configuration {options.ConfigFile}: {said}",
            _ => $"The engine ended while it was starting: {(said.Length == 0 ? "it gave no reason." : said)}",
        };
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_errors)
        {
            _errors.AppendLine(line);
            if (_errors.Length > 4000)
            {
                _errors.Remove(0, _errors.Length - 4000);
            }
        }
    }
}
