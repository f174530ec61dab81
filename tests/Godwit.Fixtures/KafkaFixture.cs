using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Godwit.Kafka;

namespace Godwit.Fixtures;

/// <summary>
/// A real broker, of the oldest release that Godwit knows: Apache Kafka 0.9.0.1 with its ZooKeeper, in a folder of its own. It can be stopped, killed and
/// started again on the same data. Its messages carry no times, and it makes no topic by itself.
/// </summary>
public sealed class KafkaFixture : IAsyncDisposable
{
    /// <summary>
    /// What the configuration of a ClickHouse must say for such a broker, which cannot be asked what it understands. Today's ClickHouse leaves its place in
    /// a group without a word, so the session of a consumer that went is waited for: it is short. A Kafka table whose messages never pause keeps its thread for up to a
    /// minute; the embedded engine has two, and a server 16.
    /// </summary>
    public const string ClickHouseConfiguration =
        """
        <kafka>
          <api_version_request>false</api_version_request>
          <broker_version_fallback>0.9.0.1</broker_version_fallback>
          <session_timeout_ms>6000</session_timeout_ms>
          <heartbeat_interval_ms>1000</heartbeat_interval_ms>
          <auto_offset_reset>earliest</auto_offset_reset>
        </kafka>
        <background_message_broker_schedule_pool_size>16</background_message_broker_schedule_pool_size>
        """;

    private readonly string _jars;
    private readonly string _folder;
    private readonly int _keeperPort;
    private readonly int _port;
    private readonly ConcurrentBag<string> _topics = [];
    private JavaProcess? _keeper;
    private JavaProcess? _broker;

    private KafkaFixture(string jars, string folder, int keeperPort, int port) => (_jars, _folder, _keeperPort, _port) = (jars, folder, keeperPort, port);

    /// <summary>host:port of the broker.</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port}");

    /// <summary>The process of the broker.</summary>
    public int Pid => _broker!.Pid;

    /// <summary>Starts one, or fails with a sentence that says what is missing.</summary>
    public static async Task<KafkaFixture> StartAsync()
    {
        var jars = await KafkaPackage.EnsureAsync();
        var folder = Directory.CreateTempSubdirectory("godwit-kafka-").FullName;
        var ports = FreePorts(2);
        var fixture = new KafkaFixture(jars, folder, ports[0], ports[1]);
        await fixture.WriteFilesAsync();
        try
        {
            fixture._keeper = JavaProcess.Start(jars, folder, 128, "org.apache.zookeeper.server.quorum.QuorumPeerMain", "zoo.cfg");
            await ReadyAsync(fixture._keeper, fixture.KeeperAnswersAsync);
            await fixture.StartAgainAsync();
            return fixture;
        }
        catch
        {
            await fixture.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the broker on the same data and port.</summary>
    public async Task StartAgainAsync()
    {
        // Of one that was killed, the ZooKeeper believes for some seconds that it lives, and it would let no other in by its name.
        await Wait.UntilAsync(async () => !(await AskKeeperAsync("dump")).Contains("/brokers/ids/0", StringComparison.Ordinal), CancellationToken.None);
        _broker = JavaProcess.Start(_jars, _folder, 256, "kafka.Kafka", "server.properties");
        await ReadyAsync(_broker, BrokerAnswersAsync);
    }

    /// <summary>Stops the broker cleanly.</summary>
    public async Task StopAsync()
    {
        await _broker!.StopAsync();
        await _broker.DisposeAsync();
        _broker = null;
    }

    /// <summary>Ends the broker as a crash does, and returns when it is gone.</summary>
    public async Task KillAsync()
    {
        await _broker!.KillAsync();
        await _broker.DisposeAsync();
        _broker = null;
    }

    /// <summary>Starts the broker again on the same data and port, and returns when it leads all its topics; one that runs is killed first.</summary>
    public async Task RestartAsync()
    {
        await KillAsync();
        await StartAgainAsync();
        using var client = new KafkaClient([Address], TimeProvider.System);
        await Wait.UntilAsync(async () => await LeadsAsync(client, [.. _topics]), CancellationToken.None, "the topics");
    }

    /// <summary>Makes a topic.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="partitions">How many partitions it has.</param>
    /// <param name="settings">Settings of its own, such as <c>retention.ms=60000</c>.</param>
    public async Task CreateTopicAsync(string name, int partitions = 2, params string[] settings)
    {
        string[] arguments =
        [
            "kafka.admin.TopicCommand", "--zookeeper", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_keeperPort}"), "--create", "--topic", name,
            "--replication-factor", "1", "--partitions", partitions.ToString(CultureInfo.InvariantCulture), .. settings.SelectMany(s => new[] { "--config", s }),
        ];
        var said = "";
        var isMade = false;
        for (var attempt = 0; attempt < 10 && !isMade; attempt++)
        {
            await using var java = JavaProcess.Start(_jars, _folder, 128, arguments);
            await java.EndedAsync();
            said = java.Said;

            // On a busy machine the broker loses its session in the keeper for a moment, and is back when the next attempt has begun.
            isMade = !said.Contains("larger than available brokers", StringComparison.Ordinal);
        }

        _topics.Add(name);
        using var client = new KafkaClient([Address], TimeProvider.System);
        try
        {
            // The broker hears of it a moment later.
            await Wait.UntilAsync(async () => await LeadsAsync(client, name), CancellationToken.None);
        }
        catch (TimeoutException e)
        {
            throw new InvalidOperationException($"The topic {name} was not made: {said}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in new[] { _broker, _keeper })
        {
            if (process is not null)
            {
                await process.DisposeAsync();
            }
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<bool> LeadsAsync(KafkaClient client, params IReadOnlyList<string> topics)
    {
        try
        {
            var partitions = await client.PartitionsAsync(topics, CancellationToken.None);
            return partitions.Count > 0 && (await client.OffsetsAsync(partitions, KafkaEnd.Latest, CancellationToken.None)).Count == partitions.Count;
        }
        catch (KafkaException)
        {
            return false;
        }
    }

    private static async Task ReadyAsync(JavaProcess process, Func<Task<bool>> answers)
    {
        await Wait.UntilAsync(async () => process.HasExited || await answers(), CancellationToken.None, "Kafka");
        if (process.HasExited)
        {
            throw new InvalidOperationException($"Kafka did not start:\n{process.Said}");
        }
    }

    private async Task<bool> KeeperAnswersAsync()
    {
        try
        {
            return (await AskKeeperAsync("srvr")).Contains("Mode: standalone", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }

    private async Task<string> AskKeeperAsync(string word)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _keeperPort);
        using var stream = client.GetStream();
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(word));
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }

    // It listens before it knows its topics and its leaders.
    private async Task<bool> BrokerAnswersAsync()
    {
        try
        {
            using var connection = await KafkaConnection.ConnectAsync(Address, CancellationToken.None);
            return (await AskKeeperAsync("dump")).Contains("/brokers/ids/0", StringComparison.Ordinal);
        }
        catch (KafkaException)
        {
            return false;
        }
    }

    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(l => l.Start());
        var ports = listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port).ToArray();
        listeners.ForEach(l => l.Stop());
        return ports;
    }

    private async Task WriteFilesAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "log4j.properties"), "log4j.rootLogger=WARN, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\nlog4j.appender.out.layout=org.apache.log4j.SimpleLayout\n");
        await File.WriteAllTextAsync(Path.Combine(_folder, "zoo.cfg"), $"""
            dataDir={_folder}/zookeeper
            clientPort={_keeperPort}
            clientPortAddress=127.0.0.1
            tickTime=500
            maxClientCnxns=0
            """);
        await File.WriteAllTextAsync(Path.Combine(_folder, "server.properties"), $"""
            broker.id=0
            listeners=PLAINTEXT://127.0.0.1:{_port}
            zookeeper.connect=127.0.0.1:{_keeperPort}
            zookeeper.session.timeout.ms=4000
            log.dirs={_folder}/logs
            auto.create.topics.enable=false
            offsets.topic.num.partitions=1
            offsets.topic.replication.factor=1
            group.max.session.timeout.ms=300000
            log.cleaner.enable=false
            """);
    }
}
