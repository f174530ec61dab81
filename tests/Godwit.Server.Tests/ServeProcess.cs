using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Godwit.Fixtures;

namespace Godwit.Server.Tests;

/// <summary><c>godwit serve</c> in a process of its own, as a service manager starts it; it is ended at the latest with the test.</summary>
internal sealed class ServeProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private bool _isDisposed;

    private ServeProcess(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, e) => Keep(e.Data);
        _process.ErrorDataReceived += (_, e) => Keep(e.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Its process.</summary>
    public int Pid => _process.Id;

    /// <summary>What it has written so far, logs and sentences.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>A port that nobody has.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Starts one, and returns when it is ready.</summary>
    public static async Task<ServeProcess> StartAsync(EngineFixture engine, string state, int port, CancellationToken ct, params (string Name, string Value)[] environment)
    {
        string[] arguments = ["exec", Path.Combine(AppContext.BaseDirectory, "Godwit.Cli.dll"), "serve",
            "--server", engine.Url.ToString(), "--state", state, "--listen", port.ToString(CultureInfo.InvariantCulture)];
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var server = new ServeProcess(start);
        using var client = new HttpClient();
        await Wait.UntilAsync(
            async () =>
            {
                try
                {
                    return (await client.GetAsync(new Uri($"http://127.0.0.1:{port}/readyz"), ct)).IsSuccessStatusCode;
                }
                catch (HttpRequestException) when (!server._process.HasExited)
                {
                    return false;
                }
            },
            ct);
        return server;
    }

    /// <summary>Ends it as a crash does, and returns when it is gone.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks it to end, as a service manager does, and returns its exit code.</summary>
    public async Task<int> TerminateAsync(CancellationToken ct)
    {
        using var kill = Process.Start("kill", ["-TERM", Pid.ToString(CultureInfo.InvariantCulture)]);
        await _process.WaitForExitAsync(ct);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            _lines.Enqueue(line);
        }
    }
}
