using System.Globalization;
using Godwit.Cli.Demo;
using Godwit.ClickHouse;

namespace Godwit.Server.Tests.Browser;

/// <summary>A table of thirty partitions, in a database of its own.</summary>
internal static class EventsTable
{
    private const string Columns = "id, user, day, text";

    /// <summary>Rows that live writers insert.</summary>
    public static FormatRows LiveRows { get; } = new(Columns, "TabSeparated", id => string.Create(CultureInfo.InvariantCulture, $"{id}\t{id % 500}\t2026-01-{1 + (id % 28):00}\tlive\n"));

    /// <summary>Makes and fills it.</summary>
    public static async Task<QualifiedName> CreateAsync(ClickHouseGateway gateway, long rows)
    {
        var table = new QualifiedName($"web_{Guid.NewGuid():N}"[..12], "events");
        await gateway.ExecuteAsync($"CREATE DATABASE {Sql.Identifier(table.Database)} ENGINE = Atomic");
        await gateway.ExecuteAsync($"CREATE TABLE {table.ToSql()} (id UInt64, user UInt32, day Date, text String) ENGINE = MergeTree PARTITION BY day ORDER BY id");
        await gateway.ExecuteAsync($"INSERT INTO {table.ToSql()} SELECT number, cityHash64(number) % 500, toDate('2026-01-01') + number % 28, repeat('x', 20) FROM numbers({Sql.Literal(rows)})");
        return table;
    }
}
