using Godwit.ClickHouse;

namespace Godwit.Rebuild;

/// <summary>A Distributed table through which rows come.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Arguments">What its engine is given: cluster, database, table, and what else there is.</param>
/// <param name="Settings">Its settings as a clause; empty for none.</param>
internal sealed record DistributedTable(QualifiedName Name, IReadOnlyList<string> Arguments, string Settings)
{
    private const int TableArgument = 2;

    /// <summary>The cluster that it spreads rows over.</summary>
    public string Cluster => SqlText.Unquote(Arguments[0]);

    /// <summary>Reads it; null when there is no such table.</summary>
    public static async Task<DistributedTable?> ReadAsync(ClickHouseGateway gateway, QualifiedName name, CancellationToken ct) =>
        await gateway.QueryAsync($"SELECT engine_full FROM system.tables WHERE engine = 'Distributed' AND {TableReader.Where(name, "name")}", ct: ct) is [var row]
            ? Parse(name, row["engine_full"])
            : null;

    /// <summary>Reads an engine clause with its settings.</summary>
    public static DistributedTable Parse(QualifiedName name, string clause)
    {
        var (engine, settings) = TableEngine.ParseFull(clause);
        return new DistributedTable(name, engine.Arguments, settings);
    }

    /// <summary>Whether all rows stay on this server.</summary>
    public async Task<bool> IsLocalAsync(ClickHouseGateway gateway, CancellationToken ct) =>
        await gateway.ScalarAsync<bool>($"SELECT toBool(count() = 1 AND min(is_local)) FROM system.clusters WHERE cluster = {Sql.Literal(Cluster)}", ct: ct);

    /// <summary>A statement that makes one like it before another table of the same database.</summary>
    public string CreateSql(QualifiedName name, QualifiedName behind)
    {
        var arguments = Arguments.ToArray();
        arguments[TableArgument - 1] = Sql.Literal(behind.Database);
        arguments[TableArgument] = Sql.Literal(behind.Table);
        return $"CREATE TABLE IF NOT EXISTS {name.ToSql()} AS {Name.ToSql()} ENGINE = Distributed({string.Join(", ", arguments)}){Settings}";
    }
}
