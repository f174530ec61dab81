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
}
