using System.Globalization;
using Godwit.ClickHouse;

namespace Godwit.Cli.Demo;

/// <summary>The events table of a product-analytics system, and the questions that the demo asks it.</summary>
internal sealed class EventsTable(ClickHouseGateway gateway)
{
    private const int Months = 6;

    /// <summary>Its name.</summary>
    public static QualifiedName Name { get; } = new("demo", "events");

    /// <summary>The key that makes questions about one event fast.</summary>
    public const string NewOrderBy = "(team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid))";

    /// <summary>The sampling key that goes with it.</summary>
    public const string NewSampleBy = "cityHash64(distinct_id)";

    /// <summary>A question that the old key answers slowly: one event of one team over all time.</summary>
    public const string Question = "SELECT uniq(distinct_id) FROM demo.events WHERE team_id = 3 AND event = 'event_7'";

    /// <summary>Makes it and fills it with rows of several months.</summary>
    public async Task CreateAsync(long rows, CancellationToken ct)
    {
        await gateway.ExecuteAsync("CREATE DATABASE demo ENGINE = Atomic", ct: ct);
        await gateway.ExecuteAsync(
            """
            CREATE TABLE demo.events (
                uuid UUID, event String, properties String CODEC(ZSTD(1)), timestamp DateTime64(6, 'UTC'), team_id Int64, distinct_id String,
                elements_chain String, created_at DateTime64(6, 'UTC'), _timestamp DateTime, _offset UInt64,
                `$session_id` String MATERIALIZED replaceRegexpAll(JSONExtractRaw(properties, '$session_id'), '^"|"$', '') COMMENT 'session of the visitor')
            ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp) ORDER BY (team_id, toDate(timestamp), distinct_id, uuid)
            SETTINGS index_granularity = 512
            """,
            ct: ct);
        for (var month = 0; month < Months; month++)
        {
            var first = rows * month / Months;
            await gateway.ExecuteAsync(
                Insert(first, rows * (month + 1) / Months - first, $"toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + INTERVAL {month} MONTH + toIntervalSecond(cityHash64(number, 't') % 2400000)"),
                new QueryOptions { Timeout = Timeout.InfiniteTimeSpan },
                ct);
        }
    }

    /// <summary>The insert of a live writer: new rows, most of them of the last month.</summary>
    public static string LiveInsert(long first, int count) => Insert(
        first,
        count,
        $"toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + INTERVAL if(cityHash64(number) % 10 = 0, cityHash64(number, 'm') % {Months}, {Months - 1}) MONTH + toIntervalSecond(cityHash64(number, 't') % 2400000)");

    /// <summary>Rows in the table.</summary>
    public Task<long> CountAsync(CancellationToken ct) => gateway.ScalarAsync<long>($"SELECT count() FROM {Name.ToSql()}", ct: ct);

    /// <summary>Rows that the question reads, by the index alone, and the best time of a few in milliseconds, when all is merged.</summary>
    public async Task<(long Rows, double Milliseconds)> AskAsync(CancellationToken ct)
    {
        await gateway.ExecuteAsync($"OPTIMIZE TABLE {Name.ToSql()} FINAL", new QueryOptions { Timeout = Timeout.InfiniteTimeSpan }, ct);
        var estimate = await gateway.QueryAsync("EXPLAIN ESTIMATE " + Question, ct: ct);
        var best = double.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var began = System.Diagnostics.Stopwatch.GetTimestamp();
            await gateway.ExecuteAsync(Question, ct: ct);
            best = Math.Min(best, System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        return (estimate.Sum(r => r.Int64("rows")), Math.Round(best, 1));
    }

    /// <summary>Compares the table with what the writers were told: acknowledged ids that are not there, and ids that are there twice.</summary>
    public async Task<(long Lost, long Duplicated)> CompareAsync(long rowsBefore, IReadOnlyList<Batch> acknowledged, CancellationToken ct)
    {
        await gateway.ExecuteAsync("CREATE TABLE demo.acknowledged (first UInt64, count UInt64) ENGINE = Memory", ct: ct);
        var lines = string.Join('\n', acknowledged.Select(b => string.Create(CultureInfo.InvariantCulture, $"{b.First}\t{b.Count}")));
        await gateway.InsertAsync("INSERT INTO demo.acknowledged FORMAT TabSeparated", lines + "\n", ct: ct);
        var row = (await gateway.QueryAsync(
            $"""
             SELECT
                 (SELECT count() FROM (SELECT arrayJoin(range(first, first + count)) AS id FROM demo.acknowledged)
                     WHERE id NOT IN (SELECT _offset FROM demo.events WHERE _offset >= {LiveWriters.IdsPerWriter})) AS lost,
                 (SELECT uniqExact(_offset) FROM demo.events WHERE _offset < {LiveWriters.IdsPerWriter}) AS filled,
                 (SELECT count() - uniqExact(_offset) FROM demo.events) AS duplicated
             """,
            new QueryOptions { Timeout = Timeout.InfiniteTimeSpan },
            ct))[0];
        return (row.Int64("lost") + rowsBefore - row.Int64("filled"), row.Int64("duplicated"));
    }

    private static string Insert(long first, long count, string timestamp) =>
        $$"""
         INSERT INTO demo.events (uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, _timestamp, _offset)
         SELECT generateUUIDv4(number), concat('event_', toString(cityHash64(number, 'e') % 40)),
             concat('{"$session_id":"', hex(cityHash64(number, 's')), '","$browser":"Firefox","$os":"Linux","$current_url":"https://example.com/',
                 hex(cityHash64(number, 'u')), '","$lib":"web","$screen_height":1080,"$screen_width":1920,"$device_id":"', hex(sipHash128(number)),
                 '","utm":"', repeat(hex(cityHash64(number % 1000, 'c')), 16), '"}'),
             {{timestamp}}, cityHash64(number, 'team') % 5, concat('user_', toString(cityHash64(number, 'd') % 50000)), '', now64(6), now(), number
         FROM numbers({{first}}, {{count}})
         """;
}
