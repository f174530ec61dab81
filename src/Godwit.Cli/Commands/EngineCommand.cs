using System.CommandLine;
using Godwit.Engine;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit engine</c>: a real ClickHouse in the foreground, for trying things out.</summary>
internal static class EngineCommand
{
    private static readonly Option<string> Folder = new("--path") { Description = "The folder of its data; created when missing", HelpName = "DIR" };
    private static readonly Option<int> HttpPort = new("--http-port") { Description = "The port of its HTTP server on 127.0.0.1; 0 for a free one", HelpName = "N" };
    private static readonly Option<int?> TcpPort = new("--tcp-port") { Description = "The port of its native server; none by default", HelpName = "N" };
    private static readonly Option<string> ConfigFile = new("--config-file") { Description = "A ClickHouse configuration file", HelpName = "FILE" };

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("engine", "Run the embedded ClickHouse 26.7 in the foreground", RunAsync)
    {
        Groups = [("Engine", [Folder, HttpPort, TcpPort, ConfigFile])],
        Examples = ["godwit engine --path /tmp/clickhouse --http-port 8123"],
    };

    private static Task<int> RunAsync(Invocation call)
    {
        var options = new EngineOptions
        {
            Path = call.Get(Folder) ?? "",
            HttpPort = call.Get(HttpPort),
            TcpPort = call.Get(TcpPort),
            ConfigFile = call.Get(ConfigFile),
            Say = call.Output.Error.WriteLine,
        };
        return options.Problems() is { Count: > 0 } problems
            ? throw new Checks.InvalidRequestException(problems)
            : Engine.EngineCommand.RunAsync(options, call.Output.Text, call.Output.Error, call.Token);
    }
}
