namespace Godwit.Engine;

/// <summary>How an engine is started.</summary>
public sealed record EngineOptions
{
    /// <summary>The folder of its data; created when missing.</summary>
    public required string Path { get; init; }

    /// <summary>The port of its HTTP server on 127.0.0.1; 0 for a free one.</summary>
    public int HttpPort { get; init; }

    /// <summary>The port of its native TCP server, which other engines reach with remote(); null for none, 0 for a free one.</summary>
    public int? TcpPort { get; init; }

    /// <summary>A ClickHouse configuration file; null for the defaults.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>libchdb.so; null to find or fetch it.</summary>
    public string? LibraryPath { get; init; }

    /// <summary>Is told what takes long, such as the first download.</summary>
    public Action<string>? Say { get; init; }

    /// <summary>All problems, one sentence each; empty when an engine can be started with this.</summary>
    public IReadOnlyList<string> Problems()
    {
        List<string> problems = [];
        if (string.IsNullOrWhiteSpace(Path))
        {
            problems.Add("--path is missing: name the folder that holds the engine's data.");
        }

        if (HttpPort is < 0 or > 65535)
        {
            problems.Add($"--http-port {HttpPort} is not a port: use 1 to 65535, or 0 for a free one.");
        }

        if (TcpPort is < 0 or > 65535)
        {
            problems.Add($"--tcp-port {TcpPort} is not a port: use 1 to 65535, or 0 for a free one.");
        }

        if (HttpPort != 0 && HttpPort == TcpPort)
        {
            problems.Add($"--http-port and --tcp-port are both {HttpPort}: they need two ports.");
        }

        if (ConfigFile is not null && !File.Exists(ConfigFile))
        {
            problems.Add($"--config-file {ConfigFile} does not exist.");
        }

        return problems;
    }
}

/// <summary>An engine could not be fetched or started; the message says why and what to do.</summary>
public sealed class EngineStartException(string message, Exception? inner = null) : Exception(message, inner);
