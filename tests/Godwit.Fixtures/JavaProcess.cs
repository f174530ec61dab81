using System.ComponentModel;
using System.Diagnostics;

namespace Godwit.Fixtures;

/// <summary>A program of Java, and the last that it said.</summary>
internal sealed class JavaProcess : IAsyncDisposable
{
    private const int KeptLines = 30;
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly Queue<string> _said = new();

    private JavaProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += Heard;
        process.ErrorDataReceived += Heard;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>The last lines that it wrote.</summary>
    public string Said
    {
        get
        {
            lock (_said)
            {
                return string.Join('\n', _said);
            }
        }
    }

    /// <summary>Starts one; it says only what goes wrong.</summary>
    /// <param name="jars">The folder of the jars.</param>
    /// <param name="folder">Where it runs, with a log4j.properties.</param>
    /// <param name="megabytes">How much memory its objects may take.</param>
    /// <param name="arguments">The class and its arguments.</param>
    public static JavaProcess Start(string jars, string folder, int megabytes, params string[] arguments)
    {
        // One core's worth of compiling and collecting: it lives for minutes, beside other tests.
        string[] options = [$"-Xmx{megabytes}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j.configuration=file:log4j.properties", "-Dzookeeper.jmx.log4j.disable=true", "-cp", $"{jars}/*"];
        var start = new ProcessStartInfo("java", [.. options, .. arguments]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            return new JavaProcess(Process.Start(start)!);
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException("These tests need Java: apt-get install --no-install-recommends default-jre-headless", e);
        }
    }

    /// <summary>Returns when it has ended by itself.</summary>
    public Task EndedAsync() => _process.WaitForExitAsync();

    /// <summary>Ends it as a crash does, and returns when it is gone.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks it to end, and returns when it is gone.</summary>
    public async Task StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", Pid.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        using var limit = new CancellationTokenSource(StopLimit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            await KillAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private void Heard(object sender, DataReceivedEventArgs line)
    {
        lock (_said)
        {
            _said.Enqueue(line.Data ?? "");
            if (_said.Count > KeptLines)
            {
                _said.Dequeue();
            }
        }
    }
}
