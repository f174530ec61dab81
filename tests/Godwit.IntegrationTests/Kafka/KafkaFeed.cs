using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Kafka;
using Shouldly;

namespace Godwit.IntegrationTests.Kafka;

/// <summary>A topic, and in a database of its own the way from it: queue (Kafka) -> feed (view) -> events.</summary>
internal sealed class KafkaFeed(KafkaFixture broker, ClickHouseGateway gateway, string database) : IAsyncDisposable
{
    /// <summary>What must be accepted of a Kafka table without a broker.</summary>
    public static readonly IReadOnlyList<string> NoBroker = [.. KafkaChecks.All.Select(c => c.Name)];

    private readonly KafkaClient _client = new([broker.Address], TimeProvider.System);

    public KafkaFixture Broker => broker;

    public ClickHouseGateway Gateway => gateway;

    public string Topic => database;

    public string Database => database;

    public QualifiedName Queue { get; } = new(database, "queue");

    public KafkaClient Client => _client;

    /// <summary>Makes topic, tables and, unless told otherwise, the view.</summary>
    /// <param name="broker">The broker.</param>
    /// <param name="engine">The engine.</param>
    /// <param name="hasView">Whether anything is read.</param>
    /// <param name="settings">Further settings of the Kafka table.</param>
    public static async Task<KafkaFeed> CreateAsync(KafkaFixture broker, IServerFixture engine, bool hasView = true, string? settings = "kafka_flush_interval_ms = 300")
    {
        var database = await engine.NewDatabaseAsync();
        var feed = new KafkaFeed(broker, engine.Gateway(), database);
        await broker.CreateTopicAsync(database);
        await feed.Gateway.ExecuteAsync($"CREATE TABLE {database}.events (id UInt64, uuid UUID) ENGINE = MergeTree ORDER BY id");
        await feed.Gateway.ExecuteAsync($"CREATE TABLE {database}.queue (id UInt64, uuid UUID) ENGINE = Kafka('{broker.Address}', '{database}', 'readers of {database}', 'JSONEachRow'){(settings is null ? "" : $" SETTINGS {settings}")}");
        if (hasView)
        {
            await feed.AddViewAsync();
        }

        return feed;
    }

    /// <summary>Makes the view that reads from the Kafka table.</summary>
    public Task AddViewAsync() => gateway.ExecuteAsync($"CREATE MATERIALIZED VIEW {database}.feed TO {database}.events AS SELECT id, uuid FROM {database}.queue");

    public Task<long> RowsAsync(string table = "events") => gateway.ScalarAsync<long>($"SELECT count() FROM {database}.{table}");

    public async Task<KafkaTable> TableAsync(string name = "queue")
    {
        var (table, problem) = await KafkaTable.ReadAsync(gateway, new QualifiedName(database, name), CancellationToken.None);
        problem.ShouldBeNull();
        return table!;
    }

    public async Task<KafkaLag> LagAsync(string name = "queue") => await KafkaLag.ReadAsync(await TableAsync(name), _client, TimeProvider.System, CancellationToken.None);

    public async Task<IReadOnlyList<KafkaConsumer>> ConsumersAsync() =>
        (await KafkaConsumer.ReadAsync(gateway, await Capabilities.ProbeAsync(gateway), Queue, CancellationToken.None)).ShouldNotBeNull();

    public async ValueTask DisposeAsync()
    {
        // Its consumers would go on looking for a broker.
        await gateway.ExecuteAsync($"DROP DATABASE {database}");
        _client.Dispose();
        gateway.Dispose();
    }
}
