using System.Net;
using System.Net.Sockets;
using Godwit.ClickHouse;
using Godwit.Engine;

namespace Godwit.Fixtures;

/// <summary>Today's ClickHouse in a folder of its own, which can be crashed and started again.</summary>
public sealed class EngineFixture : IServerFixture, IAsyncDisposable
{
    // There is none unless it is asked for.
    private const string QueryLog = "<query_log><database>system</database><table>query_log</table></query_log>";

    private readonly EngineOptions _options;
    private EngineProcess _engine;

    private EngineFixture(EngineOptions options, EngineProcess engine)
    {
        _engine = engine;
        _options = options with { HttpPort = engine.HttpPort, TcpPort = engine.TcpPort };
    }

    /// <summary>The HTTP interface; user default, no password.</summary>
    public Uri Url => _engine.Url;

    /// <summary>The port for remote().</summary>
    public int TcpPort => _engine.TcpPort!.Value;

    /// <summary>The process that runs ClickHouse.</summary>
    public int Pid => _engine.Pid;

    /// <summary>The folder of the data.</summary>
    public string Folder => _options.Path;

    /// <summary>Starts one.</summary>
    /// <param name="hasQueryLog">Whether it keeps system.query_log.</param>
    /// <param name="configuration">What else its configuration says, such as <see cref="KafkaFixture.ClickHouseConfiguration"/>.</param>
    public static Task<EngineFixture> StartAsync(bool hasQueryLog = false, string configuration = "")
    {
        var port = FreePort();
        return StartAsync(Clusters(port) + (hasQueryLog ? QueryLog : "") + configuration, port);
    }

    /// <summary>Starts one for each row of a cluster: its shard is its place in the list.</summary>
    /// <param name="name">The cluster's name.</param>
    /// <param name="shards">How many.</param>
    public static async Task<IReadOnlyList<EngineFixture>> StartClusterAsync(string name, int shards)
    {
        var ports = Enumerable.Range(0, shards).Select(_ => FreePort()).ToList();
        var config = $"<remote_servers><{name}>{string.Concat(ports.Select(p => Shard("127.0.0.1", p)))}</{name}></remote_servers>{QueryLog}";
        List<EngineFixture> engines = [];
        foreach (var port in ports)
        {
            engines.Add(await StartAsync(config, port));
        }

        return engines;
    }

    // For tables that point to others: a cluster of this server alone, and one of this server and another one, which does not answer.
    private static string Clusters(int port) =>
        $"<remote_servers><alone>{Shard("127.0.0.1", port)}</alone><pair>{Shard("127.0.0.1", port)}{Shard("127.0.0.2", 1)}</pair></remote_servers>";

    private static string Shard(string host, int port) => $"<shard><replica><host>{host}</host><port>{port}</port></replica></shard>";

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<EngineFixture> StartAsync(string configuration, int tcpPort)
    {
        var folder = Directory.CreateTempSubdirectory("godwit-engine-").FullName;
        var config = Path.Combine(folder, "config.xml");
        await File.WriteAllTextAsync(config, $"<clickhouse>{configuration}</clickhouse>");
        var options = new EngineOptions { Path = folder, ConfigFile = config, TcpPort = tcpPort };
        try
        {
            return new EngineFixture(options, await EngineProcess.StartAsync(options));
        }
        catch (EngineStartException)
        {
            Directory.Delete(options.Path, recursive: true);
            throw;
        }
    }

    /// <summary>A gateway to it.</summary>
    public ClickHouseGateway Gateway(HttpMessageHandler? network = null) => new(new ClickHouseOptions { Url = Url }, network);

    /// <summary>A new database that belongs to the caller.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        var name = $"t{Guid.NewGuid():N}"[..12];
        using var gateway = Gateway();
        await gateway.ExecuteAsync($"CREATE DATABASE {name} ENGINE = Atomic");
        return name;
    }

    /// <summary>Drops a database with all its tables.</summary>
    public async Task DropDatabaseAsync(string name)
    {
        using var gateway = Gateway();
        await gateway.ExecuteAsync($"DROP DATABASE IF EXISTS {name} SYNC", new QueryOptions { Settings = new Dictionary<string, string> { ["max_table_size_to_drop"] = "0" } });
    }

    /// <summary>Ends it as a crash does, and returns when it is gone.</summary>
    public async Task KillAsync()
    {
        _engine.Kill();
        await _engine.WaitForExitAsync();
    }

    /// <summary>Starts it again on the same data and ports; one that runs is stopped cleanly first.</summary>
    public async Task RestartAsync()
    {
        await _engine.DisposeAsync();
        _engine = await EngineProcess.StartAsync(_options);
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
