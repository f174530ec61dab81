using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Godwit.Engine;

/// <summary>The command line of the child process.</summary>
internal static class EngineLaunch
{
    // Written rather than shipped: files of its kind do not come along with a package.
    private const string Runtime = """{ "runtimeOptions": { "tfm": "net10.0", "framework": { "name": "Microsoft.NETCore.App", "version": "10.0.0" } } }""";

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
        => new(DotnetPath(), ["exec", "--runtimeconfig", RuntimePath(folder), ProgramPath(), library, Text(http), .. Arguments(folder, http, tcp, config)])
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

    private static string ProgramPath() => typeof(EngineLaunch).Assembly.Location is { Length: > 0 } path
        ? path
        : throw new EngineStartException("The ClickHouse engine runs in Godwit.Engine.dll, and that is not a file here: a program that starts an engine cannot be published as a single file.");

    private static string RuntimePath(string folder)
    {
        var path = Path.Combine(folder, "engine.runtimeconfig.json");
        File.WriteAllText(path, Runtime);
        return path;
    }

    private static string DotnetPath()
    {
        // The one that runs this: …/shared/Microsoft.NETCore.App/10.0.0/ is three folders below it.
        var beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
        return File.Exists(beside) ? beside : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
