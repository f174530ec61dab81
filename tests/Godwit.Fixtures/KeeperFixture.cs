using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Godwit.Fixtures;

/// <summary>A real ZooKeeper: the one that comes with the broker is one as good as any.</summary>
public sealed class KeeperFixture : IAsyncDisposable
{
    private readonly string _folder;
    private readonly JavaProcess _keeper;
    private readonly string _port;

    private KeeperFixture(string folder, JavaProcess keeper, string port) => (_folder, _keeper, _port) = (folder, keeper, port);

    /// <summary>Starts one, or fails with a sentence that says what is missing.</summary>
    public static async Task<KeeperFixture> StartAsync()
    {
        var (jars, port) = (await KafkaPackage.EnsureAsync(), FreePort());
        var folder = Directory.CreateTempSubdirectory("godwit-keeper-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "log4j.properties"), "log4j.rootLogger=WARN, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\nlog4j.appender.out.layout=org.apache.log4j.SimpleLayout\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "zoo.cfg"), $"dataDir={folder}/data\nclientPort={port}\nclientPortAddress=127.0.0.1\ntickTime=500\nmaxClientCnxns=0\n");
        var keeper = JavaProcess.Start(jars, folder, 128, "org.apache.zookeeper.server.quorum.QuorumPeerMain", "zoo.cfg");
        var fixture = new KeeperFixture(folder, keeper, port);
        await Wait.UntilAsync(async () => keeper.HasExited || await AnswersAsync(int.Parse(port, CultureInfo.InvariantCulture)), CancellationToken.None, "ZooKeeper");
        if (keeper.HasExited)
        {
            var said = keeper.Said;
            await fixture.DisposeAsync();
            throw new InvalidOperationException($"ZooKeeper did not start:\n{said}");
        }

        return fixture;
    }

    /// <summary>What the configuration of a server says of it, and the macros of which paths are made.</summary>
    /// <param name="replica">The server's name among replicas.</param>
    public string Configuration(string replica) =>
        $"<zookeeper><node><host>127.0.0.1</host><port>{_port}</port></node></zookeeper><macros><shard>01</shard><replica>{replica}</replica></macros>";

    public async ValueTask DisposeAsync()
    {
        await _keeper.DisposeAsync();
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
}
