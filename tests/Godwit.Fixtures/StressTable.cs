using Godwit.ClickHouse;
using Godwit.Rebuild;
using Shouldly;

namespace Godwit.Fixtures;

/// <summary>
/// A table in a database of its own with writers, merges and a view on it, and the oracle: what the server acknowledged is there, once.
/// </summary>
public sealed class StressTable : IAsyncDisposable
{
    private const int BaseRows = 30_000;
    private readonly ClickHouseGateway _gateway;
    private readonly string _database;
    private readonly int _keys;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _merges;

    private StressTable(ClickHouseGateway gateway, string database, int keys, int seed)
    {
        (_gateway, _database, _keys) = (gateway, database, keys);
        Writers = LiveWriters.Start(gateway, $"{database}.t", keys, BaseRows, seed);
        _merges = Task.Run(() => MergeAsync(new Random(seed)));
    }

    /// <summary>Its name.</summary>
    public QualifiedName Name => new(_database, "t");

    /// <summary>Those who write to it.</summary>
    public LiveWriters Writers { get; }

    /// <summary>Another sorting key; for a folding engine the rows that are the same stay the same.</summary>
    public RebuildRequest Request => new() { Table = Name, OrderBy = "(key, shard)", AddColumns = ["extra LowCardinality(String) DEFAULT 'none'"], Accept = ["key-identity", "view-race"] };

    /// <summary>The same sorting key: merges of a ReplacingMergeTree need not be held while rows are copied.</summary>
    public RebuildRequest SameKeyRequest => Request with { OrderBy = null, Strategy = "block-log" };

    /// <summary>Makes the table, fills it and lets the writers begin.</summary>
    /// <param name="engine">The server; its gateway belongs to the table from here on.</param>
    /// <param name="kind">The table's engine.</param>
    /// <param name="keys">How many keys rows have.</param>
    /// <param name="seed">What the writers do comes from this.</param>
    public static async Task<StressTable> CreateAsync(EngineFixture engine, string kind, int keys, int seed)
    {
        var database = await engine.NewDatabaseAsync();
        var gateway = engine.Gateway();
        await gateway.ExecuteAsync(
            $"""
             CREATE TABLE {database}.t (id UInt64, key UInt32, shard UInt8, version UInt64, n Int64, text String)
             ENGINE = {kind} PARTITION BY shard ORDER BY key
             SETTINGS parts_to_delay_insert = 10000, parts_to_throw_insert = 20000
             """);
        await gateway.ExecuteAsync($"INSERT INTO {database}.t SELECT {LiveWriters.Columns("number", keys)} FROM numbers({BaseRows}) SETTINGS max_block_size = 5000, min_insert_block_size_rows = 5000, min_insert_block_size_bytes = 0");
        await gateway.ExecuteAsync($"CREATE TABLE {database}.seen (id UInt64) ENGINE = MergeTree ORDER BY id");
        await gateway.ExecuteAsync($"CREATE MATERIALIZED VIEW {database}.v TO {database}.seen AS SELECT id FROM {database}.t");
        return new StressTable(gateway, database, keys, seed);
    }

    /// <summary>Ends the writers and compares the table, and what its view has collected, with what they were told.</summary>
    /// <param name="how">What the table's engine makes of the rows.</param>
    public async Task RequireExactAsync(Folding how = Folding.None)
    {
        await EndAsync();
        Writers.Refusals.Distinct().Take(5).ShouldBeEmpty();
        var all = Writers.Acknowledged.Concat(Enumerable.Range(0, BaseRows).Select(i => (long)i)).ToList();
        await (how switch
        {
            Folding.None => RequireOnceAsync($"{_database}.t", all),
            Folding.Newest => RequireNewestAsync(all),
            _ => RequireSumsAsync(all),
        });
        await RequireSeenAsync(how);
        (await _gateway.ScalarAsync<long>($"SELECT countIf({(how == Folding.Sum ? "shard != key % 4" : "text != toString(cityHash64(id)) OR version != id")}) FROM {_database}.t")).ShouldBe(0);
    }

    /// <summary>Ends writers and merges.</summary>
    public async Task EndAsync()
    {
        await Writers.StopAsync();
        await _stop.CancelAsync();
        await _merges;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        await _gateway.ExecuteAsync($"DROP DATABASE IF EXISTS {_database} SYNC");
        await Writers.DisposeAsync();
        _gateway.Dispose();
        _stop.Dispose();
    }

    private async Task RequireSeenAsync(Folding how)
    {
        var seen = (await _gateway.QueryAsync($"SELECT id FROM {_database}.seen")).Select(r => r.Int64("id")).ToList();
        seen.ShouldBeUnique();

        // Nobody can tell what was inserted into a table that folds rows when it stores them: what its view missed stays missed.
        if (how != Folding.Sum)
        {
            Writers.Acknowledged.Except(seen).Count().ShouldBe(0, "a view missed inserts");
        }

        seen.Except(Writers.Acknowledged).Except(Writers.Unknown).ShouldBeEmpty();
    }

    private async Task RequireOnceAsync(string table, IReadOnlyCollection<long> expected)
    {
        var there = (await _gateway.QueryAsync($"SELECT id, count() AS c FROM {table} GROUP BY id")).ToDictionary(r => r.Int64("id"), r => r.Int64("c"));
        var lost = expected.Where(id => !there.ContainsKey(id)).ToList();
        var doubled = there.Where(r => r.Value > 1).Select(r => r.Key).ToList();
        var invented = there.Keys.Except(expected).Except(Writers.Unknown).ToList();
        (lost.Count, doubled.Count, invented.Count).ShouldBe(
            (0, 0, 0), $"{table}: lost {string.Join(' ', lost.Take(10))}; doubled {string.Join(' ', doubled.Take(10))}; invented {string.Join(' ', invented.Take(10))}");
    }

    // A row whose insert had no answer may win over the newest of the others.
    private async Task RequireNewestAsync(List<long> expected)
    {
        var there = (await _gateway.QueryAsync($"SELECT key, id FROM {_database}.t FINAL")).Select(r => (Key: r.Int64("key"), Id: r.Int64("id"))).ToList();
        var unknown = Writers.Unknown.ToHashSet();
        there.Select(r => r.Key).ShouldBeUnique();
        var newest = expected.GroupBy(id => id % _keys).ToDictionary(g => g.Key, g => g.Max());
        there.Count(r => newest.GetValueOrDefault(r.Key, -1) != r.Id && !unknown.Contains(r.Id)).ShouldBe(0, "FINAL shows other rows than the newest");
        newest.Keys.Except(there.Select(r => r.Key)).ShouldBeEmpty();
    }

    private async Task RequireSumsAsync(List<long> expected)
    {
        Writers.Unknown.ShouldBeEmpty("sums can only be compared when every insert was answered");
        var there = (await _gateway.QueryAsync($"SELECT key, sum(n) AS rows, sum(id) AS ids FROM {_database}.t GROUP BY key"))
            .ToDictionary(r => r.Int64("key"), r => (r.Int64("rows"), r.Int64("ids")));
        var sums = expected.GroupBy(id => id % _keys).ToDictionary(g => g.Key, g => ((long)g.Count(), g.Sum()));
        sums.Where(s => there.GetValueOrDefault(s.Key) != s.Value).Select(s => $"key {s.Key}: {s.Value} expected, {there.GetValueOrDefault(s.Key)} there").ShouldBeEmpty();
    }

    // An OPTIMIZE of one partition disregards the settings that hold merges.
    private static string Which(Random random) => $" PARTITION {random.Next(4)}{(random.Next(4) == 0 ? " FINAL" : "")}";

    private async Task MergeAsync(Random random)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _gateway.ExecuteAsync($"OPTIMIZE TABLE {_database}.t{Which(random)}");
            }
            catch (ClickHouseException)
            {
                // Merges that are held, a table that is exchanged, a server that is gone: the next one will do.
            }

            await Task.Delay(random.Next(100));
        }
    }
}

/// <summary>What a table's engine makes of rows with the same key.</summary>
public enum Folding
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The one with the highest version stays.</summary>
    Newest,

    /// <summary>They are added up.</summary>
    Sum,
}
