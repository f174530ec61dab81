using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Godwit.ClickHouse;

namespace Godwit.Fixtures;

/// <summary>Two servers of Debian's ClickHouse 18.16.1 that keep their replicas alike through a real ZooKeeper. The first one is a cluster of its own.</summary>
public sealed class ReplicatedFixture : IAsyncDisposable
{
    /// <summary>The name of the cluster.</summary>
    public const string Cluster = "posthog";

    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-keeper-").FullName;
    private readonly List<OldServerFixture> _servers = [];
    private readonly List<ClickHouseGateway> _gateways = [];
    private JavaProcess? _keeper;

    /// <summary>The server that is the cluster.</summary>
    public ClickHouseGateway First => _gateways[0];

    /// <summary>One that may become a second replica.</summary>
    public ClickHouseGateway Second => _gateways[1];

    /// <summary>Starts all of it, or fails with a sentence that says what is missing.</summary>
    public static async Task<ReplicatedFixture> StartAsync()
    {
        var fixture = new ReplicatedFixture();
        try
        {
            var port = await fixture.StartKeeperAsync();
            foreach (var replica in new[] { "a", "b" })
            {
                var server = new OldServerFixture($$"""
                    <zookeeper><node><host>127.0.0.1</host><port>{{port}}</port></node></zookeeper>
                    <macros><shard>01</shard><replica>{{replica}}</replica></macros>
                    <remote_servers><{{Cluster}}><shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>{tcp}</port></replica></shard></{{Cluster}}></remote_servers>
                    """);
                fixture._servers.Add(server);
                await server.StartAsync();
                fixture._gateways.Add(server.Gateway());
            }

            return fixture;
        }
        catch
        {
            await fixture.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _gateways.ForEach(g => g.Dispose());
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        if (_keeper is not null)
        {
            await _keeper.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<bool> AnswersAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            using var stream = client.GetStream();
            await stream.WriteAsync("srvr"u8.ToArray());
            using var reader = new StreamReader(stream);
            return (await reader.ReadToEndAsync()).Contains("Mode: standalone", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The ZooKeeper that comes with the broker is one as good as any.</summary>
    private async Task<string> StartKeeperAsync()
    {
        var (jars, port) = (await KafkaPackage.EnsureAsync(), FreePort());
        await File.WriteAllTextAsync(Path.Combine(_folder, "log4j.properties"), "log4j.rootLogger=WARN, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\nlog4j.appender.out.layout=org.apache.log4j.SimpleLayout\n");
        await File.WriteAllTextAsync(Path.Combine(_folder, "zoo.cfg"), $"dataDir={_folder}/data\nclientPort={port}\nclientPortAddress=127.0.0.1\ntickTime=500\nmaxClientCnxns=0\n");
        var keeper = _keeper = JavaProcess.Start(jars, _folder, 128, "org.apache.zookeeper.server.quorum.QuorumPeerMain", "zoo.cfg");
        await Wait.UntilAsync(async () => keeper.HasExited || await AnswersAsync(int.Parse(port, CultureInfo.InvariantCulture)), CancellationToken.None, "ZooKeeper");
        return keeper.HasExited ? throw new InvalidOperationException($"ZooKeeper did not start:\n{keeper.Said}") : port;
    }
}
