using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Inspection;

/// <summary>The sample under one definition.</summary>
/// <param name="Name">The temporary table as EXPLAIN ESTIMATE and system.parts name it.</param>
/// <param name="Bytes">Its compressed bytes.</param>
/// <param name="Elapsed">How long it took to sort and write.</param>
internal sealed record SampleLayout(QualifiedName Name, long Bytes, TimeSpan Elapsed);

/// <summary>
/// The sample of a table as temporary tables of one session. They need no name that others could see, queries find them under the table's own name, and
/// the server drops them with the session, a minute after the last statement, also when this process dies.
/// </summary>
internal sealed class SampleTables(ClickHouseGateway gateway, TimeProvider clock, TableSnapshot source, double share) : IAsyncDisposable
{
    private const int LeastGranularity = 8;
    private const long LeastGranularityBytes = 1024;

    /// <summary>What makes a server refuse a statement of a session that it does not know.</summary>
    public static readonly IReadOnlyDictionary<string, string> SessionCheck = new Dictionary<string, string>(StringComparer.Ordinal) { ["session_check"] = "1" };

    private readonly string _rows = $"godwit_rows_{Plans.PlanBuilder.NewRunId()}";
    private bool _hasSession;

    // One block, so that a partition becomes one part; in the time that a page can be waited for.
    private static readonly Dictionary<string, string> FillSettings = new(CopyTuning.ReadSettings, StringComparer.Ordinal)
    {
        ["max_threads"] = "2",
        ["max_insert_threads"] = "1",
        ["min_insert_block_size_rows"] = "1000000000",
        ["min_insert_block_size_bytes"] = "0",
        ["optimize_on_insert"] = "0",
        ["insert_allow_materialized_columns"] = "1",
        ["max_partitions_per_insert_block"] = "0",
        ["async_insert"] = "0",
        ["max_execution_time"] = "300",
    };

    /// <summary>The session that sees the tables.</summary>
    public string Session { get; } = $"godwit-{Guid.NewGuid():N}";

    /// <summary>Rows of a granule of the sample.</summary>
    public long Granularity(TableDefinition definition) => Math.Max(LeastGranularity, (long)Math.Round(Setting(definition, "index_granularity", 8192) * share));

    /// <summary>Draws the rows, in no order and in no partitions.</summary>
    /// <returns>How many there are.</returns>
    public async Task<long> DrawAsync(RowSample sample, IReadOnlyList<ColumnMapping> mapping, CancellationToken ct)
    {
        var heap = source.Definition with
        {
            Elements = source.Definition.Columns.ToList(),
            Engine = "MergeTree",
            OrderBy = "tuple()",
            PrimaryKey = null,
            PartitionBy = null,
            SampleBy = null,
        };
        await RunAsync($"DROP TEMPORARY TABLE IF EXISTS {Sql.Identifier(_rows)}", null, ct);
        await CreateAsync(_rows, heap, ct);
        await RunAsync($"INSERT INTO {Sql.Identifier(_rows)} ({Targets(mapping)}) {sample.Select(Expressions(mapping))}", FillSettings, ct);
        return await gateway.ScalarAsync<long>($"SELECT count() FROM {Sql.Identifier(_rows)}", Options(), ct);
    }

    /// <summary>Puts the drawn rows under a definition, in the place of what was laid out before.</summary>
    public async Task<SampleLayout> LayOutAsync(TableDefinition definition, IReadOnlyList<ColumnMapping> mapping, CancellationToken ct)
    {
        var name = Sql.Identifier(source.Name.Table);
        await RunAsync($"DROP TEMPORARY TABLE IF EXISTS {name}", null, ct);
        await CreateAsync(source.Name.Table, definition, ct);
        var began = clock.GetTimestamp();
        await RunAsync($"INSERT INTO {name} ({Targets(mapping)}) SELECT {Expressions(mapping)} FROM {Sql.Identifier(_rows)}", FillSettings, ct);
        var elapsed = clock.GetElapsedTime(began);
        var uuid = await gateway.ScalarAsync<Guid>($"SELECT uuid FROM system.tables WHERE is_temporary AND name = {Sql.Literal(source.Name.Table)}", Options(), ct);
        var table = new QualifiedName("_temporary_and_external_tables", $"_tmp_{uuid}");
        var bytes = await gateway.ScalarAsync<long>($"SELECT toInt64(sum(data_compressed_bytes)) FROM system.parts WHERE {TableReader.Where(table, "table")} AND active", Options(), ct);
        return new SampleLayout(table, bytes, elapsed);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            foreach (var name in new[] { _rows, source.Name.Table })
            {
                await gateway.ExecuteAsync($"DROP TEMPORARY TABLE IF EXISTS {Sql.Identifier(name)}", Options(), CancellationToken.None);
            }
        }
        catch (ClickHouseException)
        {
            // The session ends by itself a minute from now, and they with it.
        }
    }

    private async Task CreateAsync(string name, TableDefinition definition, CancellationToken ct)
    {
        Dictionary<string, string?> settings = HelperTables.MergeHold.ToDictionary(n => n, string? (_) => "1", StringComparer.Ordinal);
        settings[HelperTables.BlockLog] = null;
        settings["index_granularity"] = Sql.Literal(Granularity(definition));
        var bytes = Setting(definition, "index_granularity_bytes", 10 << 20);
        settings["index_granularity_bytes"] = Sql.Literal(bytes == 0 ? 0 : Math.Max(LeastGranularityBytes, (long)(bytes * share)));

        // Small parts keep all columns in one file, where granules as small as these hardly compress.
        settings["min_bytes_for_wide_part"] = "0";
        settings["min_rows_for_wide_part"] = "0";
        var sql = (definition with { Ttl = null, Comment = null }).ToSql($"CREATE TEMPORARY TABLE {Sql.Identifier(name)}", settings);
        await RunAsync(sql, HelperTables.CreateSettings(source.Definition), ct);
    }

    /// <summary>Runs a statement; giving up means that it is gone from the server.</summary>
    private async Task RunAsync(string sql, IReadOnlyDictionary<string, string>? settings, CancellationToken ct)
    {
        var options = Options(settings) with { QueryId = $"godwit-sample-{Guid.NewGuid():N}" };
        try
        {
            await gateway.ExecuteAsync(sql, options, ct);
            _hasSession = true;
        }
        catch (OperationCanceledException)
        {
            await Runs.LongStatement.KillAsync(gateway, $"query_id = {Sql.Literal(options.QueryId)}", CancellationToken.None);
            throw;
        }
    }

    // Behind a balancer another server may answer, where the session is not known and the name stands for a real table: it must refuse then.
    private QueryOptions Options(IReadOnlyDictionary<string, string>? settings = null) =>
        new() { SessionId = Session, Settings = _hasSession ? new Dictionary<string, string>((settings ?? SessionCheck).Union(SessionCheck), StringComparer.Ordinal) : settings };

    private static string Targets(IReadOnlyList<ColumnMapping> mapping) => string.Join(", ", mapping.Select(m => Sql.Identifier(m.Target)));

    private static string Expressions(IReadOnlyList<ColumnMapping> mapping) => string.Join(", ", mapping.Select(m => m.Expression));

    private static long Setting(TableDefinition definition, string name, long without) =>
        definition.Settings.TryGetValue(name, out var text) && long.TryParse(text.Trim('\''), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : without;
}
