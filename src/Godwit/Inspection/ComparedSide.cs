using Godwit.ClickHouse;

namespace Godwit.Inspection;

/// <summary>A column of one side.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type without Nullable and LowCardinality.</param>
/// <param name="IsComputed">Whether it is computed when it is read.</param>
/// <param name="InPartitionKey">Whether the partition key names it.</param>
/// <param name="InSortingKey">Whether the sorting key names it.</param>
internal sealed record ComparedColumn(string Name, string Type, bool IsComputed, bool InPartitionKey, bool InSortingKey)
{
    /// <summary>Whether its values are days, without a time.</summary>
    public bool IsDay => Type is "Date" or "Date32";

    /// <summary>Whether its values are moments.</summary>
    public bool IsMoment => Type.StartsWith("DateTime", StringComparison.Ordinal);
}

/// <summary>One side of a comparison as the server describes it.</summary>
internal sealed record ComparedSide(TableOrPattern Name, IReadOnlyList<string> Tables, IReadOnlyList<ComparedColumn> Columns, string PartitionKey)
{
    private static readonly string[] Streams = ["Kafka", "RabbitMQ", "NATS", "FileLog", "S3Queue", "AzureQueue"];
    private static readonly string[] OfTheServer = ["system", "information_schema", "INFORMATION_SCHEMA"];

    /// <summary>The partition key's expressions.</summary>
    public IReadOnlyList<string> PartitionExpressions => Rebuild.SqlText.SplitByComma(Rebuild.SqlText.WithoutBrackets(PartitionKey));

    /// <summary>Reads it.</summary>
    /// <returns>Null with a sentence when it cannot be compared.</returns>
    public static async Task<(ComparedSide? Side, string? Problem)> ReadAsync(ClickHouseGateway gateway, TableOrPattern name, CancellationToken ct)
    {
        if (OfTheServer.Contains(name.Database, StringComparer.Ordinal))
        {
            return (null, $"{name} is the server's own; only tables of users are compared.");
        }

        IReadOnlyList<Row> tables;
        try
        {
            tables = await gateway.QueryAsync($"SELECT name, engine, partition_key FROM system.tables WHERE {name.Where("name")} ORDER BY name", ct: ct);
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            return (null, $"{gateway.Name} cannot look for {name}: {e.ServerMessage}");
        }

        if (tables.Count == 0)
        {
            return (null, name.Missing(gateway.Name));
        }

        if (tables.FirstOrDefault(t => Streams.Contains(t["engine"], StringComparer.Ordinal)) is { } stream)
        {
            return (null, $"{new QualifiedName(name.Database, stream["name"])} is a {stream["engine"]} table: reading it would take its messages away. Compare the table that its view writes to.");
        }

        var keys = tables.Select(t => t["partition_key"]).Distinct(StringComparer.Ordinal).ToList();
        return (new ComparedSide(name, tables.Select(t => t["name"]).ToList(), await ColumnsAsync(gateway, name, ct), keys is [var key] && key != "tuple()" ? key : ""), null);
    }

    /// <summary>The column of that name; null when there is none.</summary>
    public ComparedColumn? Find(string name) => Columns.FirstOrDefault(c => c.Name == name);

    // The server gives them in the order of the table; where it also tells the order, it is asked for it.
    private static async Task<IReadOnlyList<ComparedColumn>> ColumnsAsync(ClickHouseGateway gateway, TableOrPattern name, CancellationToken ct)
    {
        var known = await Known.ColumnsAsync(gateway, ["columns"], null, ct);
        var rows = await gateway.QueryAsync(
            $"""
             SELECT name, type, default_kind, is_in_partition_key, is_in_sorting_key FROM system.columns
             WHERE {name.Where("table")} AND default_kind != 'EPHEMERAL' {(known.Contains("columns.position") ? "ORDER BY table, position" : "")}
             """,
            ct: ct);
        return rows.DistinctBy(r => r["name"], StringComparer.Ordinal)
            .Select(r => new ComparedColumn(r["name"], Bare(r["type"]), r["default_kind"] == "ALIAS", r.Bool("is_in_partition_key"), r.Bool("is_in_sorting_key"))).ToList();
    }

    private static string Bare(string type)
    {
        foreach (var around in new[] { "LowCardinality(", "Nullable(" })
        {
            type = type.StartsWith(around, StringComparison.Ordinal) ? type[around.Length..^1] : type;
        }

        return type;
    }
}
