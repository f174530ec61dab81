namespace Godwit.ClickHouse;

/// <summary>How a server wants to be told what servers of all ages can do: asked once, and used by steps that must work on every one.</summary>
internal sealed class Dialect
{
    private readonly HashSet<string> _settings;
    private readonly HashSet<string> _columns;

    private Dialect(Capabilities capabilities, HashSet<string> settings, HashSet<string> columns) => (Capabilities, _settings, _columns) = (capabilities, settings, columns);

    /// <summary>What the server can do.</summary>
    public Capabilities Capabilities { get; }

    /// <summary>A condition on system.processes: statements that may write to a table.</summary>
    public string Writes => Capabilities.HasQueryKind ? "query_kind IN ('Insert', 'AsyncInsertFlush', 'Alter')" : @"match(query, '^(?i)\\s*(insert|alter)')";

    /// <summary>A condition on system.merges: merges, and not mutations.</summary>
    public string IsMerge => _columns.Contains("merges.is_mutation") ? "NOT is_mutation" : "1";

    /// <summary>What tells one part from another of the same name.</summary>
    public string PartContent => Capabilities.HasPartHash ? "hash_of_all_files" : "toString(bytes_on_disk)";

    /// <summary>Asks the server.</summary>
    public static async Task<Dialect> ReadAsync(ClickHouseGateway gateway, CancellationToken ct) => new(
        await Capabilities.ProbeAsync(gateway, ct),
        [.. (await gateway.QueryAsync("SELECT name FROM system.settings", ct: ct)).Select(r => r["name"])],
        await ClickHouse.Known.ColumnsAsync(gateway, ["merges"], null, ct));

    /// <summary>Drops a table, if it is there, and returns when it is gone. Old servers know no other way.</summary>
    public string Drop(QualifiedName table) => $"DROP TABLE IF EXISTS {table.ToSql()}{(Capabilities.HasDropSync ? " SYNC" : "")}";

    /// <summary>Detaches a table, and returns when it has written what it was writing; where the server can, so that it stays detached after a restart.</summary>
    public string Detach(QualifiedName table) => $"DETACH TABLE {table.ToSql()}{(Capabilities.HasDetachPermanently ? " PERMANENTLY SYNC" : "")}";

    /// <summary>Those of some settings that the server has: an unknown one is an error.</summary>
    public IReadOnlyDictionary<string, string> Known(IReadOnlyDictionary<string, string> settings) =>
        settings.Where(s => _settings.Contains(s.Key)).ToDictionary(StringComparer.Ordinal);
}
