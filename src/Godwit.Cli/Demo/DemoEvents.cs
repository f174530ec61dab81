using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Cli.Demo;

/// <summary>The table of the demo, as a product-analytics company has it: its rows, its slow query, and the key it should have had.</summary>
internal static class DemoEvents
{
    /// <summary>The columns that rows are written to.</summary>
    public const string Columns =
        "uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, _timestamp, _offset";

    /// <summary>The column that holds a row's id for the oracle: where a pipeline keeps the offset in its queue.</summary>
    public const string Id = "_offset";

    /// <summary>What a person asks of the table: one team, one event, all time. Live writers write for other teams, so its answer stands still.</summary>
    public const string Query =
        "SELECT count() AS purchases, uniq(distinct_id) AS people, round(sum(JSONExtractFloat(properties, 'price')), 2) AS revenue "
        + "FROM demo.events WHERE team_id = 7 AND event = 'purchase'";

    // Thirty days, six days apart, with small granules: in proportion, two million rows stand for the billions of a real table.
    private const int Days = 30;
    private const int DaysApart = 6;
    private static readonly string[] Events = ["$pageview", "$autocapture", "$identify", "purchase"];

    /// <summary>The table.</summary>
    public static QualifiedName Table { get; } = new("demo", "events");

    /// <summary>Makes the database and the table, sorted in a way that does not know of events.</summary>
    public static IReadOnlyList<string> Create { get; } =
    [
        "CREATE DATABASE demo ENGINE = Atomic",
        """
        CREATE TABLE demo.events
        (
            uuid UUID,
            event String,
            properties String CODEC(ZSTD(1)),
            timestamp DateTime64(6, 'UTC'),
            team_id Int64,
            distinct_id String,
            elements_chain String,
            created_at DateTime64(6, 'UTC'),
            _timestamp DateTime,
            _offset UInt64,
            `$session_id` String MATERIALIZED trim(BOTH '"' FROM JSONExtractRaw(properties, '$session_id'))
        )
        ENGINE = MergeTree
        PARTITION BY toYYYYMM(timestamp)
        ORDER BY (team_id, toDate(timestamp), distinct_id, uuid)
        SETTINGS index_granularity = 1024
        """,
    ];

    /// <summary>The definition that the table is to have.</summary>
    public static RebuildRequest Wish { get; } = new()
    {
        Table = Table,
        OrderBy = "(team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid))",
        SampleBy = "cityHash64(distinct_id)",
    };

    /// <summary>The rows that live writers insert: of now, and of every team but the one that is asked for.</summary>
    public static FormatRows LiveRows { get; } = new(Columns, "TabSeparated", LiveRow);

    /// <summary>Fills a span of ids of the table, made by the server: one to <paramref name="total"/> are half a year, in order.</summary>
    public static string Fill(long first, long rows, long total) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        INSERT INTO demo.events ({{Columns}})
        WITH
            cityHash64(number) AS h,
            cityHash64(number, 1) AS g,
            hex(sipHash128(number, 2)) AS session,
            toDateTime64(today() - 1, 6, 'UTC') - toIntervalDay({{DaysApart}} * ({{Days - 1}} - intDiv(number * {{Days}}, {{total}})))
                + toIntervalMicrosecond(g % 86400000000) AS at
        SELECT
            generateUUIDv4(),
            multiIf(h % 100 < 1, 'purchase', h % 100 < 60, '$pageview', h % 100 < 90, '$autocapture', '$identify'),
            concat('{"$session_id":"', session, '","$current_url":"https://shop.example.com/products/', toString(g % 9973),
                '","$referrer":"https://search.example.com/?q=', toString(h % 4999), '","price":', toString(h % 20000 / 100),
                '{{Constant}}","$device_id":"', session, hex(h), hex(g), '"}'),
            at,
            if(g % 10 < 4, 7, 1 + g % 6),
            concat('user-', toString(cityHash64(number, 3) % 50000)),
            if(h % 100 < 60, '', concat('a.button:nth-child="', toString(h % 9), '";div.cart;body')),
            at,
            at,
            number
        FROM numbers({{first}}, {{rows}})
        """);

    private static string Constant =>
        """
        ,"$browser":"Firefox","$browser_version":139,"$os":"Linux","$device_type":"Desktop","$screen_height":1080,"$screen_width":1920,"$lib":"web","$lib_version":"1.57.2","$user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0","$timezone":"UTC
        """;

    private static string LiveRow(long id)
    {
        var now = DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
        var random = Random.Shared;
        var session = Guid.NewGuid().ToString("N");
        var properties = $$"""
            {"$session_id":"{{session}}","$current_url":"https://shop.example.com/products/{{random.Next(9973)}}","price":{{random.Next(20000)}}{{Constant}}","$device_id":"{{session}}{{session}}"}
            """;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Guid.NewGuid()}\t{Events[random.Next(Events.Length)]}\t{properties}\t{now}\t{1 + random.Next(6)}\tuser-{random.Next(50000)}\t\t{now}\t{now[..19]}\t{id}\n");
    }
}
