using System.Globalization;
using Godwit.ClickHouse;
using Godwit.CrashHost;
using Godwit.Kafka;
using Godwit.Rebuild;
using Shouldly;

namespace Godwit.Fixtures;

/// <summary>A table for one crash, with a view on it and a ledger of all that was inserted into it.</summary>
public sealed class CrashTable : IAsyncDisposable
{
    /// <summary>Rows of inserts that had begun before the exchange, which the view has seen then: from this id on.</summary>
    private const int Late = 900_000;

    private static readonly string[] Own = ["t", "seen", "v", "ledger", "done", "queue", "pump", "spread", "calls"];
    private readonly CrashScenario _scenario;
    private readonly IServerFixture _server;
    private readonly ClickHouseGateway _gateway;
    private readonly KafkaFixture? _kafka;
    private int _next = 1000;
    private int _nextMessage = 500_000;

    private CrashTable(CrashScenario scenario, IServerFixture server, string database, KafkaFixture? kafka) =>
        (_scenario, _server, _gateway, Database, _kafka) = (scenario, server, server.Gateway(), database, kafka);

    /// <summary>Its database.</summary>
    public string Database { get; }

    /// <summary>Its name.</summary>
    public QualifiedName Name => new(Database, "t");

    /// <summary>Makes and fills it.</summary>
    /// <param name="scenario">What it is for.</param>
    /// <param name="engine">Where.</param>
    /// <param name="kafka">The broker of a scenario that has one.</param>
    public static async Task<CrashTable> CreateAsync(CrashScenario scenario, IServerFixture engine, KafkaFixture? kafka)
    {
        var table = new CrashTable(scenario, engine, await engine.NewDatabaseAsync(), scenario.HasBroker ? kafka : null);
        const string Columns = "(id UInt64, key UInt32, shard UInt8, n Int64, text String)";
        string[] statements =
        [
            $"CREATE TABLE {{db}}.t {Columns} {scenario.Engine}",
            $"CREATE TABLE {{db}}.ledger {Columns} ENGINE = MergeTree ORDER BY id",
            .. scenario.Change.MaterializeLater ? new[] { "ALTER TABLE {db}.t ADD COLUMN doubled UInt64 MATERIALIZED id * 2 AFTER key" } : [],
            "CREATE TABLE {db}.done (entry String) ENGINE = MergeTree ORDER BY entry",
            "CREATE TABLE {db}.seen (id UInt64) ENGINE = MergeTree ORDER BY id",
            .. Insert("t", 0, 200),
            "INSERT INTO {db}.seen SELECT id FROM {db}.ledger",
            .. !scenario.HasView ? [] : new[] { "CREATE MATERIALIZED VIEW {db}.v TO {db}.seen AS SELECT id FROM {db}.t" },
            .. Insert("t", 200, 100),
            .. scenario.HasFeed
                ? (string[])
                [
                    $"CREATE TABLE {{db}}.queue {Columns} ENGINE = Kafka SETTINGS kafka_broker_list = '{table._kafka?.Address ?? "127.0.0.1:1"}', kafka_topic_list = '{{db}}', kafka_group_name = 'crash of {{db}}', kafka_format = 'JSONEachRow'{(scenario.HasBroker ? $", {scenario.QueueSettings}" : "")}",
                    .. scenario.IsSpread ? new[] { "CREATE TABLE {db}.spread AS {db}.queue ENGINE = Distributed('alone', '{db}', 't', id)" } : [],
                    $"CREATE MATERIALIZED VIEW {{db}}.pump TO {{db}}.{(scenario.IsSpread ? "spread" : "t")} AS SELECT * FROM {{db}}.queue",
                    "CREATE TABLE {db}.calls (hook String, at UInt64) ENGINE = MergeTree ORDER BY at",
                ]
                : [],
        ];
        await (table._kafka?.CreateTopicAsync(table.Database) ?? Task.CompletedTask);
        foreach (var statement in statements)
        {
            await table._gateway.ExecuteAsync(statement.Replace("{db}", table.Database, StringComparison.Ordinal));
        }

        await table.SendAsync(100);
        await table.RequireSameRowsAsync();
        return table;
    }

    /// <summary>Statements that insert rows into a table of the database and into the ledger.</summary>
    public static IReadOnlyList<string> Insert(string table, int from, int count) =>
        [.. new[] { table, "ledger" }.Select(t =>
            $"INSERT INTO {{db}}.{t} (id, key, shard, n, text) SELECT number, number % 50, number % 50 % 3, 1, toString(cityHash64(number)) FROM numbers({from}, {count})")];

    /// <summary>An insert that resolved the table's name before the exchange and is committed after it.</summary>
    public static IReadOnlyList<string> InsertLate(int offset) => Insert("t_godwit_{run}", Late + offset, 7);

    /// <summary>What the table is to become.</summary>
    public RebuildRequest Change => _scenario is { HasFeed: true, IsReadTwice: false }
        ? _scenario.Change with { Table = Name, PauseHook = Hook("pause"), ResumeHook = Hook("resume") }
        : _scenario.Change with { Table = Name };

    /// <summary>Inserts some new rows, when others write to the table at all.</summary>
    public async Task InsertAsync()
    {
        if (!_scenario.HasWriters)
        {
            return;
        }

        foreach (var statement in Insert("t", _next, 5))
        {
            await _gateway.ExecuteAsync(statement.Replace("{db}", Database, StringComparison.Ordinal));
        }

        _next += 5;
        await SendAsync(5);
    }

    private async Task SendAsync(int count)
    {
        if (_kafka is null)
        {
            return;
        }

        await KafkaProducer.WriteAsync(
            _kafka, Database, _nextMessage, count, id => string.Create(CultureInfo.InvariantCulture, $$"""{"id":{{id}},"key":{{id % 50}},"shard":{{id % 50 % 3}},"n":1,"text":"{{id}}"}"""));
        await _gateway.ExecuteAsync($"INSERT INTO {Database}.ledger SELECT number, number % 50, number % 50 % 3, 1, toString(number) FROM numbers({_nextMessage}, {count})");
        _nextMessage += count;
    }

    /// <summary>
    /// Waits until all consumers have stored and committed what was sent: ClickHouse stores a block again whose broker dies in between, whatever Godwit does.
    /// </summary>
    public Task AwaitCommitsAsync() => Wait.UntilAsync(async () => (await LagsAsync()).All(l => l.Total == 0), CancellationToken.None, "the consumers to commit");

    private async Task<IReadOnlyList<KafkaLag>> LagsAsync()
    {
        List<KafkaLag> lags = [];
        foreach (var row in await _gateway.QueryAsync($"SELECT name FROM system.tables WHERE database = '{Database}' AND engine = 'Kafka'"))
        {
            var table = (await KafkaTable.ReadAsync(_gateway, new QualifiedName(Database, row["name"]), CancellationToken.None)).Table!;
            using var client = new KafkaClient(table.Brokers, TimeProvider.System);
            lags.Add(await KafkaLag.ReadAsync(table, client, TimeProvider.System, CancellationToken.None));
        }

        return lags;
    }

    // Kafka brings its own a moment later.
    private async Task RequireSameRowsAsync()
    {
        var ledger = await FiguresAsync(_scenario.Figures, "ledger");
        if (_kafka is not null)
        {
            try
            {
                await Wait.UntilAsync(async () => await FiguresAsync(_scenario.Figures, "t") == ledger, CancellationToken.None, "the rows of the ledger");
            }
            catch (TimeoutException)
            {
                throw new TimeoutException($"t has {await FiguresAsync(_scenario.Figures, "t")} and the ledger {ledger}. {string.Join(", ", (await LagsAsync()).SelectMany(l => l.Partitions))}");
            }
        }

        (await FiguresAsync(_scenario.Figures, "t")).ShouldBe(ledger, "rows of the table, and of the ledger");
    }

    private Task<string> FiguresAsync(string figures, string from) => _gateway.ScalarAsync<string>($"SELECT toString(tuple({figures})) FROM {Database}.{from}");

    /// <summary>What a person does who is told that rows may not have reached the view.</summary>
    public Task FeedViewAsync(string runId) =>
        _gateway.ExecuteAsync($"INSERT INTO {Database}.seen SELECT id FROM {Database}.t_godwit_{runId}_m WHERE id NOT IN (SELECT id FROM {Database}.seen)");

    /// <summary>What others do meanwhile.</summary>
    public IReadOnlyList<Injection> Injections(IReadOnlyList<(string Entry, IReadOnlyList<string> Statements)> meanwhile) => meanwhile
        .Select(m => new Injection(m.Entry, $"{Database}.done", [.. m.Statements.Select(s => s.Replace("{db}", Database, StringComparison.Ordinal))])).ToList();

    /// <summary>All tables and their definitions that a run of that id has left, without what differs from one to the next.</summary>
    public async Task<string> ShapeAsync(string runId)
    {
        var rows = await _gateway.QueryAsync(
            $"SELECT name, create_table_query AS ddl FROM system.tables WHERE database = '{Database}' AND name NOT IN ({string.Join(", ", Own.Skip(1).Select(Sql.Literal))}) ORDER BY name");
        List<string> lines = [];
        foreach (var row in rows)
        {
            var isMade = _scenario.Makes.Contains(row["name"], StringComparer.Ordinal);
            lines.Add($"{row["name"]}: {row["ddl"]}{(isMade ? await _gateway.ScalarAsync<string>($"SELECT toString((count(), sum(cityHash64(*)))) FROM {Database}.{row["name"]}") : "")}");
        }

        var text = string.Join('\n', lines);
        return text.Replace(Database, "db", StringComparison.Ordinal).Replace(runId, "run", StringComparison.Ordinal);
    }

    /// <summary>Nothing but the table itself, what a migration was to make and, where a rollback is kept possible, what is needed for it is there.</summary>
    /// <param name="runId">The run that can be rolled back; null when none can.</param>
    public async Task RequireNothingLeftAsync(string? runId)
    {
        var kept = runId is null ? [] : _scenario.Keeps.Select(k => k.Replace("{run}", runId, StringComparison.Ordinal));
        var rows = await _gateway.QueryAsync(
            $"SELECT name FROM system.tables WHERE database = '{Database}' AND name NOT IN ({string.Join(", ", Own.Concat(_scenario.Makes).Concat(kept).Select(Sql.Literal))})");
        rows.Count.ShouldBe(0, $"left: {string.Join(' ', rows.Select(r => r["name"]))}");
    }

    /// <summary>Every row is there once, the view has seen it once, and the feed flows.</summary>
    public async Task RequireExactAsync()
    {
        var feeders = await _gateway.QueryAsync($"SELECT name FROM system.tables WHERE database = '{Database}' AND name IN ('queue', 'pump') ORDER BY name");
        feeders.Select(f => f["name"]).ShouldBe(_scenario.HasFeed ? ["pump", "queue"] : [], "what feeds the table");
        if (_scenario is { HasFeed: true, IsReadTwice: false })
        {
            (await _gateway.ScalarAsync<string>($"SELECT argMax(hook, at) FROM {Database}.calls")).ShouldBe("resume", "the last hook");
        }

        await RequireSameRowsAsync();
        if (!_scenario.HasView)
        {
            return;
        }

        // What an engine folds when it stores it cannot be fed to a view that missed it. What Kafka brings is in the table before it is in the view.
        var which = _scenario.Engine.Contains("SummingMergeTree", StringComparison.Ordinal) ? $" WHERE id < {Late}" : "";
        Task<string> SeenAsync(string table) => FiguresAsync("count(), uniqExact(id)", $"{table}{which}");
        var ledger = await SeenAsync("ledger");
        if (_kafka is not null)
        {
            await Wait.UntilAsync(async () => await SeenAsync("seen") == ledger, CancellationToken.None, $"{ledger} in the view");
        }

        (await SeenAsync("seen")).ShouldBe(ledger, "rows that the view has seen, and of the ledger");
    }

    private string Hook(string name) => $"sql:INSERT INTO {Database}.calls SELECT '{name}', max(at) + 1 FROM {Database}.calls";

    public async ValueTask DisposeAsync()
    {
        // A server of 2018 may wait for ever to be rid of a Kafka table whose broker has died once; that server lives no longer than its walk.
        if (_scenario is not { IsOld: true, HasBroker: true })
        {
            await _server.DropDatabaseAsync(Database);
        }

        _gateway.Dispose();
    }
}
