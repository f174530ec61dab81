using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>A database of its own, a state file of its own, and a migrator over both.</summary>
internal sealed class RebuildCase : IAsyncDisposable
{
    private readonly string _folder;

    private RebuildCase(IServerFixture server, ClickHouseGateway gateway, string database, string folder, IStore store)
    {
        (Server, Gateway, Database, _folder, Store) = (server, gateway, database, folder, store);
        Migrator = new Migrator(gateway, store);
    }

    /// <summary>The server.</summary>
    public IServerFixture Server { get; }

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ClickHouseGateway Gateway { get; }

    /// <summary>The state file.</summary>
    public IStore Store { get; }

    public string Database { get; }

    public Migrator Migrator { get; }

    /// <summary>The table that most cases rebuild.</summary>
    public QualifiedName Table => new(Database, "t");

    public static async Task<RebuildCase> NewAsync(IServerFixture server, HttpMessageHandler? network = null)
    {
        var database = await server.NewDatabaseAsync();
        var folder = Directory.CreateTempSubdirectory("godwit-case-").FullName;
        return new RebuildCase(server, server.Gateway(network), database, folder, await SqliteStore.OpenAsync(Path.Combine(folder, "state.db"), ct: Ct));
    }

    /// <summary>Runs statements; <c>@</c> before a name stands for the database: <c>@t</c>.</summary>
    public async Task SqlAsync(params string[] statements)
    {
        foreach (var statement in statements)
        {
            await Gateway.ExecuteAsync(Expand(statement), ct: Ct);
        }
    }

    public Task<T> AskAsync<T>(string sql) => Gateway.ScalarAsync<T>(Expand(sql), ct: Ct);

    /// <summary>Count and sum of the hashes of all rows, stored values of MATERIALIZED columns too; NULL and NaN count.</summary>
    public Task<string> RowsAsync(string from, string columns = "*") => AskAsync<string>(
        $"SELECT toString((count(), sum(cityHash64(formatRow('TSV', {columns}))))) FROM {from} SETTINGS asterisk_include_materialized_columns = 1");

    /// <summary>SHOW CREATE without the table's name, and with its settings in order.</summary>
    public async Task<string> DefinitionAsync(QualifiedName table)
    {
        var text = await Gateway.ScalarAsync<string>($"SHOW CREATE TABLE {table.ToSql()}", ct: Ct);
        return TableDefinition.Parse(text).ToSql("t");
    }

    public Task<string> DefinitionAsync(string table) => DefinitionAsync(new QualifiedName(Database, table));

    /// <summary>All definitions of the database: a refused request must not have changed any of them.</summary>
    public Task<string> EverythingAsync() =>
        AskAsync<string>($"SELECT arrayStringConcat(arraySort(groupArray((database || name || create_table_query))), '\\n') FROM system.tables WHERE database = '{Database}'");

    /// <summary>The plan, which must not be refused.</summary>
    public async Task<Proposal> ProposeAsync(RebuildRequest request, RunOptions? options = null)
    {
        var proposal = await Migrator.ProposeAsync(request, options ?? new RunOptions(), Ct);
        proposal.Plan.ShouldNotBeNull(string.Join(Environment.NewLine, proposal.Checks.Where(c => c.Blocks).Select(c => c.Message)));
        return proposal;
    }

    /// <summary>Runs a rebuild to its end, which must be a good one; ends its rollback window too.</summary>
    public async Task<RunStatus> RebuildAsync(RebuildRequest request, string? strategy = null)
    {
        var status = await RunAsync(request, strategy);
        status.State.ShouldBe(RunState.Completed, status.Problem);
        (status.CleanedUp || (await Migrator.CleanUpAsync(status.RunId, ct: Ct)).CleanedUp).ShouldBeTrue();
        (await AskAsync<long>($"SELECT count() FROM system.tables WHERE database = '{Database}' AND position(name, '_godwit_') > 0")).ShouldBe(0);
        return await Migrator.StatusAsync(status.RunId, Ct);
    }

    /// <summary>Runs a rebuild to its end, whatever that is.</summary>
    public async Task<RunStatus> RunAsync(RebuildRequest request, string? strategy = null)
    {
        var plan = (await ProposeAsync(request)).Plan!;
        if (strategy is not null)
        {
            plan.Strategy.ShouldBe(strategy);
        }

        return await Migrator.RunAsync(await Migrator.CreateRunAsync(plan, new RunOptions(), Ct), ct: Ct);
    }

    /// <summary>Runs a rebuild up to its cutover, does something to the table, cuts over, and returns how it ended.</summary>
    public async Task<RunStatus> RunAsync(RebuildRequest request, Func<Task> beforeCutover, Func<Task>? duringCutover = null)
    {
        var options = new RunOptions { DeferCutover = true };
        var runId = await Migrator.CreateRunAsync((await ProposeAsync(request, options)).Plan!, options, Ct);
        var waits = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var run = Migrator.RunAsync(runId, new Watch(s => _ = s.State == RunState.AwaitingCutover && waits.TrySetResult()), Ct);
        if (await Task.WhenAny(run, waits.Task) == run)
        {
            var ended = await run;
            ended.State.ShouldBe(RunState.AwaitingCutover, ended.Problem);
        }

        await beforeCutover();
        var cutover = Migrator.CutOverAsync(runId, ct: Ct);
        await (duringCutover?.Invoke() ?? Task.CompletedTask);
        await cutover;
        return await run;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DropDatabaseAsync(Database);
        Gateway.Dispose();
        await Store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private string Expand(string sql) => sql.Replace("@", Database + ".", StringComparison.Ordinal);

    private sealed class Watch(Action<RunStatus> see) : IProgress<RunStatus>
    {
        public void Report(RunStatus value) => see(value);
    }
}
