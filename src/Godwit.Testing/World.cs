using System.Globalization;
using System.Text.RegularExpressions;
using Godwit.ClickHouse;

namespace Godwit.Testing;

/// <summary>All that the server holds besides its own: databases, tables and their rows, functions.</summary>
internal sealed partial class World(LabEngine engine, CancellationToken ct)
{
    /// <summary>Of a table with no more rows than these, the rows themselves are kept for messages.</summary>
    private const int SampleRows = 50;

    private const string Own = "('system', 'information_schema', 'INFORMATION_SCHEMA')";
    private const string UnderWay = "SELECT count() FROM system.mutations WHERE NOT is_done AND latest_fail_reason = ''";
    private static readonly TimeSpan MutationLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(50);

    // What is gone does not have to be whole before it goes, nor to be small.
    private static readonly QueryOptions Dropping = new()
    {
        Settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["check_table_dependencies"] = "0",
            ["check_referential_table_dependencies"] = "0",
            ["max_table_size_to_drop"] = "0",
            ["max_partition_size_to_drop"] = "0",
        },
    };

    private static readonly string[] WithRows = ["Log", "TinyLog", "StripeLog", "Memory", "Join", "EmbeddedRocksDB"];
    private readonly ClickHouseGateway _gateway = engine.Gateway;

    /// <summary>Removes everything.</summary>
    public async Task ClearAsync()
    {
        // What dead processes have left running would write into the next world.
        await _gateway.ExecuteAsync("KILL QUERY WHERE user = currentUser() AND query_id != queryID() SYNC", ct: ct);
        foreach (var name in await NamesAsync($"SELECT name FROM system.databases WHERE name NOT IN {Own} AND name != 'default'"))
        {
            await _gateway.ExecuteAsync($"DROP DATABASE IF EXISTS {Sql.Identifier(name)} SYNC", Dropping, ct);
        }

        foreach (var name in await NamesAsync("SELECT name FROM system.tables WHERE database = 'default'"))
        {
            await _gateway.ExecuteAsync($"DROP TABLE IF EXISTS {Sql.Table("default", name)} SYNC", Dropping, ct);
        }

        foreach (var function in await FunctionsAsync())
        {
            await _gateway.ExecuteAsync($"DROP FUNCTION IF EXISTS {Sql.Identifier(function["name"])}", ct: ct);
        }
    }

    /// <summary>Looks at everything, once no mutation is under way.</summary>
    /// <param name="ignore">Tables and columns that are left out.</param>
    /// <param name="runIds">The ids of runs, which are part of names.</param>
    public async Task<WorldSnapshot> LookAsync(IReadOnlyList<string> ignore, IReadOnlyList<string> runIds)
    {
        await AwaitMutationsAsync();
        var tables = await TablesAsync(ignore, runIds);
        var definitions = tables.ToDictionary(t => t.Shown, t => t.Definition, StringComparer.Ordinal);
        foreach (var database in await _gateway.QueryAsync($"SELECT name, engine FROM system.databases WHERE name NOT IN {Own}", ct: ct))
        {
            definitions[$"The database {database["name"]}"] = database["engine"];
        }

        foreach (var function in await FunctionsAsync())
        {
            definitions[$"The function {function["name"]}"] = function["create_query"];
        }

        return new WorldSnapshot(definitions, await RowsAsync(tables, ignore));
    }

    private async Task AwaitMutationsAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(MutationLimit);
        while (!limit.IsCancellationRequested && await _gateway.ScalarAsync<long>(UnderWay, ct: ct) > 0)
        {
            await Task.WhenAny(Task.Delay(PollEvery, limit.Token));
        }

        ct.ThrowIfCancellationRequested();
    }

    private async Task<List<Table>> TablesAsync(IReadOnlyList<string> ignore, IReadOnlyList<string> runIds)
    {
        var rows = await _gateway.QueryAsync(
            "SELECT database, name, engine, toString(uuid) AS id, create_table_query AS ddl FROM system.tables "
                + $"WHERE database NOT IN {Own} AND NOT is_temporary ORDER BY database, name",
            ct: ct);
        var owners = rows.GroupBy(r => r["id"], StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => $"<uuid of {g.First()["database"]}.{g.First()["name"]}>", StringComparer.Ordinal);
        string Steady(string text) => runIds.Aggregate(
            Uuid().Replace(text, m => owners.GetValueOrDefault(m.Value, m.Value)),
            (t, id) => t.Replace($"_godwit_{id}", "_godwit_RUN", StringComparison.Ordinal));
        return rows.Select(r => new Table(r["database"], r["name"], r["engine"], Steady($"{r["database"]}.{r["name"]}"), Steady(r["ddl"])))
            .Where(t => !ignore.Contains(t.Shown, StringComparer.Ordinal)).ToList();
    }

    /// <summary>What the tables hold: those of Godwit itself, which it keeps for a rollback, are its own affair.</summary>
    private async Task<Dictionary<string, TableRows>> RowsAsync(List<Table> tables, IReadOnlyList<string> ignore)
    {
        var stored = await _gateway.QueryAsync(
            $"SELECT database, table, name FROM system.columns WHERE database NOT IN {Own} AND default_kind NOT IN ('ALIAS', 'EPHEMERAL') ORDER BY position",
            ct: ct);
        var columns = stored.ToLookup(r => (r["database"], r["table"]), r => r["name"]);
        List<string> selects = [];
        Dictionary<string, List<string>> compared = new(StringComparer.Ordinal);
        foreach (var table in tables.Where(t => t.HasRows && !t.Shown.Contains("_godwit_RUN", StringComparison.Ordinal)))
        {
            compared[table.Shown] = columns[(table.Database, table.Name)].Where(c => !ignore.Contains($"{table.Shown}.{c}", StringComparer.Ordinal)).ToList();
            selects.Add(Select(table, compared[table.Shown]));
        }

        var rows = selects.Count == 0 ? [] : await _gateway.QueryAsync(string.Join(" UNION ALL ", selects), ct: ct);
        return rows.ToDictionary(r => r["godwit_t"], r => Read(r, compared[r["godwit_t"]]), StringComparer.Ordinal);
    }

    // Sums of hashes do not depend on the order. RowBinary is the one form that every type has. The aliases are such as no column has.
    private static string Select(Table table, List<string> columns)
    {
        string List(IEnumerable<string> some) => string.Join(", ", some.Select(Sql.Identifier));
        string Hash(IEnumerable<string> some) => $"toString(sum(cityHash64(formatRow('RowBinary', {List(some)}))))";
        var hashes = string.Join(", ", columns.Select(c => Hash([c])));
        var whole = columns.Count == 0 ? "''" : Hash(columns);
        var sample = columns.Count == 0
            ? "''"
            : $"arrayStringConcat(arraySort(groupArray({SampleRows})(formatRow('JSONCompactEachRow', {List(columns)}))), '')";
        return $"SELECT {Sql.Literal(table.Shown)} AS godwit_t, count() AS godwit_n, {whole} AS godwit_w, "
            + $"arrayStringConcat([{hashes}]::Array(String), ',') AS godwit_h, {sample} AS godwit_s "
            + $"FROM {Sql.Table(table.Database, table.Name)}{(table.Folds ? " FINAL" : "")}";
    }

    private static TableRows Read(Row row, List<string> columns)
    {
        var count = long.Parse(row["godwit_n"], CultureInfo.InvariantCulture);
        var hashes = columns.Zip(row["godwit_h"].Split(',')).ToDictionary(p => p.First, p => p.Second, StringComparer.Ordinal);
        var sample = count <= SampleRows ? row["godwit_s"].Split('\n', StringSplitOptions.RemoveEmptyEntries) : null;
        return new TableRows(count, row["godwit_w"], hashes, sample);
    }

    // system.functions takes its time, and is asked only when there is something to find.
    private async Task<IReadOnlyList<Row>> FunctionsAsync() =>
        engine.HasFunctions ? await _gateway.QueryAsync("SELECT name, create_query FROM system.functions WHERE origin = 'SQLUserDefined'", ct: ct) : [];

    private async Task<List<string>> NamesAsync(string sql) => (await _gateway.QueryAsync(sql, ct: ct)).Select(r => r["name"]).ToList();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uuid();

    /// <summary>A table, its name and definition as they are shown.</summary>
    private sealed record Table(string Database, string Name, string Engine, string Shown, string Definition)
    {
        public bool HasRows => IsMergeTree || WithRows.Contains(Engine, StringComparer.Ordinal);

        /// <summary>Whether merges change what is read without FINAL.</summary>
        public bool Folds => IsMergeTree && Engine is not ("MergeTree" or "ReplicatedMergeTree");

        private bool IsMergeTree => Engine.EndsWith("MergeTree", StringComparison.Ordinal);
    }
}
