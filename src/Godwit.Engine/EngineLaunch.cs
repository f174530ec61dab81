using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Godwit.Engine;

/// <summary>The command line of the child process.</summary>
internal static class EngineLaunch
{
    private const string Program = "Godwit.Cli";

    public static Process Start(string library, string folder, int http, int? tcp, string? config)
    {
        var start = StartInfo(library, folder, http, tcp, config);
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new EngineStartException(
                $"The ClickHouse engine needs a dotnet to run in, and {start.FileName} cannot be started: {e.Message}", e);
        }
    }

    internal static ProcessStartInfo StartInfo(string library, string folder, int http, int? tcp, string? config)
        => new(DotnetPath(), [ProgramPath(), EngineHost.Verb, library, Text(http), .. Arguments(folder, http, tcp, config)])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,

            // The runtime's debugging sockets would be left in /tmp by every engine that is killed.
            Environment = { ["DOTNET_EnableDiagnostics"] = "0" },
        };

    /// <summary>The arguments of ClickHouse. HTTP comes last: when it answers, the rest is there.</summary>
    private static IEnumerable<string> Arguments(string folder, int http, int? tcp, string? config)
    {
        yield return $"--path={folder}";
        yield return "--listen_host=127.0.0.1";
        yield return $"--http_port={Text(http)}";
        if (tcp is { } port)
        {
            yield return $"--tcp_port={Text(port)}";
        }

        if (config is not null)
        {
            yield return $"--config-file={config}";
        }

        yield return "--query";
        yield return tcp is null ? "SYSTEM START LISTEN HTTP" : "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP";
        yield return "--interactive";

        // It is made readable by its user alone: that must not happen to /dev/null, where root would take it away from everybody else.
        yield return $"--history_file={Path.Combine(folder, "history")}";
        yield return "--disable_suggestion";
    }

    private static string ProgramPath()
    {
        var entry = Assembly.GetEntryAssembly();
        var path = entry?.GetName().Name == Program && entry.Location.Length > 0
            ? entry.Location
            : Path.Combine(AppContext.BaseDirectory, $"{Program}.dll");
        return File.Exists(path) ? path : throw new EngineStartException($"The ClickHouse engine runs inside {path}, and that file is missing.");
    }

    private static string DotnetPath()
    {
        // The one that runs this: …/shared/Microsoft.NETCore.App/10.0.0/ is three folders below it.
        var beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
        return File.Exists(beside) ? beside : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
