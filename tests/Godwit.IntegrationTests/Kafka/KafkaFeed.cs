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
    public Task AddViewAsync(string into = "events") => gateway.ExecuteAsync($"CREATE MATERIALIZED VIEW {database}.feed TO {database}.{into} AS SELECT id, uuid FROM {database}.queue");

    public Task<long> RowsAsync(string table = "events") => gateway.ScalarAsync<long>($"SELECT count() FROM {database}.{table}");

    /// <summary>A producer that does not stop, whose first messages are there.</summary>
    public async Task<KafkaProducer> ProduceAsync(CancellationToken ct)
    {
        var producer = KafkaProducer.Start(broker, Topic, pause: TimeSpan.FromMilliseconds(50));
        await Wait.UntilAsync(async () => await RowsAsync() > 1000, ct);
        return producer;
    }

    /// <summary>The table's sorting key.</summary>
    public Task<string> KeyAsync(CancellationToken ct) => gateway.ScalarAsync<string>($"SELECT sorting_key FROM system.tables WHERE database = '{database}' AND name = 'events'", ct: ct);

    /// <summary>Waits until more messages have come.</summary>
    /// <exception cref="TimeoutException">None came; the message has what the broker and the server know of it.</exception>
    public async Task GrowsAsync(CancellationToken ct, string table = "events")
    {
        var before = await RowsAsync(table);
        try
        {
            await Wait.UntilAsync(async () => await RowsAsync(table) > before + 500, ct);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{table} stays at {await RowsAsync(table)} rows. {string.Join(", ", (await LagAsync()).Partitions)}; {await ToldByServerAsync()}", e);
        }
    }

    // A server of 2018 has no such table.
    private async Task<string> ToldByServerAsync()
    {
        try
        {
            return await gateway.ScalarAsync<string>($"SELECT toString(groupArray(tuple(*))) FROM system.kafka_consumers WHERE database = '{database}'");
        }
        catch (ClickHouseException e)
        {
            return e.Message;
        }
    }

    /// <summary>Every message is there. A consumer that was cut off between storing and committing reads a block again; no message is lost by that.</summary>
    public async Task RequireAllAsync(KafkaProducer producer, CancellationToken ct)
    {
        await GrowsAsync(ct);
        await producer.StopAsync();
        await Wait.UntilAsync(async () => (await LagAsync()).Total == 0, ct);
        var ids = (await gateway.QueryAsync($"SELECT id FROM {database}.events", ct: ct)).Select(r => r.Int64("id")).ToHashSet();
        producer.Acknowledged.Where(id => !ids.Contains(id)).ShouldBeEmpty();
    }

    /// <summary>Every message is there, and none twice.</summary>
    public async Task RequireExactAsync(KafkaProducer producer, CancellationToken ct)
    {
        await RequireAllAsync(producer, ct);
        var sent = producer.Acknowledged.Count;
        (await RowsAsync()).ShouldBeInRange(sent, sent + producer.Unknown.Count);
        (await gateway.ScalarAsync<long>($"SELECT uniqExact(uuid) FROM {database}.events", ct: ct)).ShouldBe(await RowsAsync(), "no message is there twice");
    }

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
