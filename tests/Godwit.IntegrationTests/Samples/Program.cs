using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Shouldly;

namespace Godwit.IntegrationTests.Samples;

/// <summary>A program that runs beside the test, as a person would start it; it is ended at the latest with the test.</summary>
internal sealed class Program : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();

    private Program(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, e) => Keep(e.Data);
        _process.ErrorDataReceived += (_, e) => Keep(e.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Everything that it has written so far.</summary>
    public string Output => string.Join('\n', _lines);

    /// <summary>The folder of the repository.</summary>
    public static string Repository { get; } = FindRepository(AppContext.BaseDirectory);

    /// <summary>The folder that a sample was built into, with the same configuration as this test.</summary>
    public static string Sample(string name) =>
        Path.Combine(Repository, "samples", name, Path.GetRelativePath(Path.Combine(Repository, "tests", "Godwit.IntegrationTests"), AppContext.BaseDirectory));

    /// <summary>Starts a program of .NET in the folder that it lies in.</summary>
    public static Program Start(string file, IEnumerable<string> arguments, IEnumerable<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo("dotnet", [file, .. arguments])
        {
            WorkingDirectory = Path.GetDirectoryName(file)!,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new Program(start);
    }

    /// <summary>Returns when it has written something; fails when it ends without.</summary>
    public async Task UntilAsync(string written, CancellationToken ct)
    {
        var since = Stopwatch.StartNew();
        while (!Output.Contains(written, StringComparison.Ordinal))
        {
            if (_process.HasExited)
            {
                await _process.WaitForExitAsync(ct);
                throw new InvalidOperationException($"It ended with {_process.ExitCode} and has not written '{written}':\n{Output}");
            }

            since.Elapsed.ShouldBeLessThan(TimeSpan.FromMinutes(2), $"It has not written '{written}':\n{Output}");

            await Task.Delay(50, ct);
        }
    }

    /// <summary>Asks it to end, as a service manager does, and returns its exit code.</summary>
    public async Task<int> TerminateAsync(CancellationToken ct)
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        return await EndAsync(ct);
    }

    /// <summary>Waits for its end and returns its exit code.</summary>
    public async Task<int> EndAsync(CancellationToken ct)
    {
        await _process.WaitForExitAsync(ct);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
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

    private static string FindRepository(string folder) =>
        File.Exists(Path.Combine(folder, "Godwit.slnx")) ? folder : FindRepository(Path.GetDirectoryName(folder.TrimEnd('/'))!);
}
