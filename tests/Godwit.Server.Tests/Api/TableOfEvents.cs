using Godwit.Fixtures;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>A table with rows in four partitions, in a database of its own.</summary>
internal static class TableOfEvents
{
    public const int Rows = 40_000;

    /// <summary>Makes it.</summary>
    /// <returns>Its name.</returns>
    public static async Task<string> MakeAsync(EngineFixture engine)
    {
        var ct = TestContext.Current.CancellationToken;
        var table = $"{await engine.NewDatabaseAsync()}.events";
        using var gateway = engine.Gateway();
        await gateway.ExecuteAsync($"CREATE TABLE {table} (id UInt64, team UInt32, day Date, text String) ENGINE = MergeTree PARTITION BY team % 4 ORDER BY id", ct: ct);
        await gateway.ExecuteAsync($"INSERT INTO {table} SELECT number, number % 100, toDate('2026-01-01') + number % 30, toString(cityHash64(number)) FROM numbers({Rows})", ct: ct);
        return table;
    }

    /// <summary>How it is sorted now.</summary>
    public static async Task<string> SortingKeyAsync(EngineFixture engine, string table)
    {
        using var gateway = engine.Gateway();
        return await gateway.ScalarAsync<string>($"SELECT sorting_key FROM system.tables WHERE concat(database, '.', name) = '{table}'", ct: TestContext.Current.CancellationToken);
    }
}
