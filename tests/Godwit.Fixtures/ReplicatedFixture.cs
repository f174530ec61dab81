using Godwit.ClickHouse;

namespace Godwit.Fixtures;

/// <summary>Two servers of Debian's ClickHouse 18.16.1 that keep their replicas alike through a real ZooKeeper. The first one is a cluster of its own.</summary>
public sealed class ReplicatedFixture : IAsyncDisposable
{
    /// <summary>The name of the cluster.</summary>
    public const string Cluster = "posthog";

    private readonly List<OldServerFixture> _servers = [];
    private readonly List<ClickHouseGateway> _gateways = [];
    private KeeperFixture? _keeper;

    /// <summary>The server that is the cluster.</summary>
    public ClickHouseGateway First => _gateways[0];

    /// <summary>The first server.</summary>
    public OldServerFixture FirstServer => _servers[0];

    /// <summary>One that may become a second replica.</summary>
    public ClickHouseGateway Second => _gateways[1];

    /// <summary>Starts all of it, or fails with a sentence that says what is missing.</summary>
    public static async Task<ReplicatedFixture> StartAsync()
    {
        var fixture = new ReplicatedFixture();
        try
        {
            fixture._keeper = await KeeperFixture.StartAsync();
            foreach (var replica in new[] { "a", "b" })
            {
                var server = new OldServerFixture($$"""
                    {{fixture._keeper.Configuration(replica)}}
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
    }
}
