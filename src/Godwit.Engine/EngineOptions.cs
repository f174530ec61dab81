namespace Godwit.Engine;

/// <summary>Where an engine keeps its data and where it listens.</summary>
public sealed record EngineOptions
{
    /// <summary>The folder of the data; it is made when it is missing.</summary>
    public required string Path { get; init; }

    /// <summary>The port of the HTTP interface on 127.0.0.1; 0 takes a free one.</summary>
    public int HttpPort { get; init; }

    /// <summary>The port of the native protocol, for queries between engines; 0 takes a free one, null opens none.</summary>
    public int? TcpPort { get; init; }

    /// <summary>A configuration file of ClickHouse, if the defaults do not do.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>A libchdb.so to use instead of the one that <see cref="EnginePackage"/> fetches.</summary>
    public string? LibraryPath { get; init; }

    /// <summary>Hears what takes long, like the download of the engine.</summary>
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
