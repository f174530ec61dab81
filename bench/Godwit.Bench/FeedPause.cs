using System.Globalization;
using System.Text.Json;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata.Sqlite;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Bench;

/// <summary>For how long Kafka's feed is held by each strategy, while a producer never stops, and that every message is there once afterwards.</summary>
internal static class FeedPause
{
    private const int Months = 12;
    private static readonly TimeSpan BetweenBatches = TimeSpan.FromMilliseconds(20);

    public static async Task RunAsync(long rows, string folder)
    {
        Report.Head($"{rows:N0} rows that Kafka feeds, by a producer that never stops: the feed is held for");
        await using var broker = await KafkaFixture.StartAsync();

        // It ends the engine, and deletes its folder.
        await using var bench = new Bench(await EngineFixture.StartAsync(configuration: KafkaFixture.ClickHouseConfiguration), Directory.CreateDirectory(Path.Combine(folder, "feed")).FullName);
        await bench.ExecuteAsync($"CREATE DATABASE {Bench.Database} ENGINE = Atomic");
        foreach (var (strategy, aim) in new[] { ("pause-feed", "aim: below 10 s"), ("second-consumer", "aim: 0 s") })
        {
            var table = $"fed_{strategy[0]}";
            await bench.MakeEventsAsync(table, rows, Months);
            Report.Say(strategy, await MeasureAsync(bench, broker, table, strategy, folder), aim);
        }
    }

    private static async Task<string> MeasureAsync(Bench bench, KafkaFixture broker, string table, string strategy, string folder)
    {
        await broker.CreateTopicAsync(table);
        await bench.ExecuteAsync(
            $"""
             CREATE TABLE {Bench.Database}.{table}_queue (uuid UUID, event String, timestamp DateTime64(6, 'UTC'), team_id Int64, distinct_id String)
             ENGINE = Kafka('{broker.Address}', '{table}', 'readers of {table}', 'JSONEachRow') SETTINGS kafka_flush_interval_ms = 500
             """);
        await bench.ExecuteAsync(
            $"CREATE MATERIALIZED VIEW {Bench.Database}.{table}_feed TO {Bench.Database}.{table} AS SELECT uuid, event, timestamp, team_id, distinct_id, timestamp AS created_at, toDateTime(timestamp) AS _timestamp FROM {Bench.Database}.{table}_queue");
        await using var producer = KafkaProducer.Start(broker, table, Line, pause: BetweenBatches);
        await using var store = await SqliteStore.OpenAsync(Path.Combine(folder, $"{table}.db"));
        var migrator = new Migrator(bench.Gateway, store);
        var options = new RunOptions { KafkaRetention = TimeSpan.FromDays(7) };
        var wish = new RebuildRequest { Table = new QualifiedName(Bench.Database, table), OrderBy = Bench.NewKey, Strategy = strategy, Accept = ["kafka-rebalances", "kafka-messages"] };
        var proposal = await migrator.ProposeAsync(wish, options);
        var plan = proposal.Plan ?? throw new InvalidOperationException(string.Join(' ', proposal.Checks.Where(c => c.Blocks).Select(c => c.Message)));
        var status = await migrator.RunAsync(await migrator.CreateRunAsync(plan, options));
        if (status.State != RunState.Completed)
        {
            throw new InvalidOperationException(status.Problem);
        }

        await RequireExactAsync(bench, producer, table);
        return string.Create(CultureInfo.InvariantCulture, $"{status.Cutover?.PausedSeconds ?? 0:0.000} s");
    }

    private static async Task RequireExactAsync(Bench bench, KafkaProducer producer, string table)
    {
        await producer.StopAsync();
        var sent = producer.Acknowledged.Count;
        string there;
        do
        {
            await Task.Delay(500);
            there = await bench.Gateway.ScalarAsync<string>($"SELECT count() || ' ' || uniqExact(uuid) FROM {Bench.Database}.{table} WHERE event = 'sent'");
        }
        while (there != $"{sent} {sent}" && long.Parse(there.Split(' ')[0], CultureInfo.InvariantCulture) < sent);
        if (there != $"{sent} {sent}")
        {
            throw new InvalidOperationException($"{sent} messages were sent, and rows and unique ids that are there are {there}.");
        }
    }

    private static string Line(long id) => JsonSerializer.Serialize(new
    {
        uuid = KafkaProducer.Uuid(id),
        @event = "sent",
        timestamp = "2024-12-15 12:00:00.000000",
        team_id = id % 20,
        distinct_id = $"user_{id % 1000}",
    });
}
