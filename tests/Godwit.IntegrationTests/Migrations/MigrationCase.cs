using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Migrations;
using Godwit.Migrations.Yaml;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>A database of its own, a state file of its own, and migrators that know some migrations.</summary>
internal sealed class MigrationCase : IAsyncDisposable
{
    private readonly string _folder;
    private readonly IStore _store;
    private readonly IServerFixture _server;

    private MigrationCase(IServerFixture server, ClickHouseGateway gateway, string database, string folder, IStore store) =>
        (_server, Gateway, Database, _folder, _store) = (server, gateway, database, folder, store);

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ClickHouseGateway Gateway { get; }

    public string Database { get; }

    public static async Task<MigrationCase> NewAsync(IServerFixture server, HttpMessageHandler? network = null)
    {
        var database = await server.NewDatabaseAsync();
        var folder = Directory.CreateTempSubdirectory("godwit-case-").FullName;
        return new MigrationCase(server, server.Gateway(network), database, folder, await SqliteStore.OpenAsync(Path.Combine(folder, "state.db"), ct: Ct));
    }

    /// <summary>A migrator that knows these YAML migrations; <c>{db}</c> stands for the database.</summary>
    public Migrator Knows(params string[] yaml) => Knows(yaml.Select(text =>
    {
        var (migration, problems) = YamlReader.Read("m.yaml", text.Replace("{db}", Database, StringComparison.Ordinal));
        problems.ShouldBeEmpty();
        return migration!;
    }).ToArray());

    /// <summary>A migrator that knows these migrations.</summary>
    public Migrator Knows(params Migration[] migrations) => Knows(new MigratorOptions { Migrations = new MigrationSet(migrations) });

    /// <summary>A migrator over the same state file.</summary>
    public Migrator Knows(MigratorOptions options) => new(Gateway, _store, options);

    /// <summary>The plan, which must not be refused, is stored as a run.</summary>
    public static async Task<string> CreateAsync(Migrator migrator, string name, RunOptions? options = null)
    {
        options ??= new RunOptions { AcceptIrreversible = true };
        var proposal = await migrator.ProposeAsync(new MigrationRequest(name), options, Ct);
        return await migrator.CreateRunAsync(proposal.Plan.ShouldNotBeNull(Refusal(proposal)), options, Ct);
    }

    /// <summary>Runs a migration to its end, whatever that is.</summary>
    public static async Task<RunStatus> RunAsync(Migrator migrator, string name) => await migrator.RunAsync(await CreateAsync(migrator, name), ct: Ct);

    /// <summary>What blocks a migration.</summary>
    public static async Task<string> RefusalAsync(Migrator migrator, string name, params (string Name, string Value)[] parameters)
    {
        var request = new MigrationRequest(name) { Parameters = parameters.ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal) };
        var proposal = await migrator.ProposeAsync(request, new RunOptions(), Ct);
        proposal.Plan.ShouldBeNull();
        return Refusal(proposal);
    }

    public async Task SqlAsync(params string[] statements)
    {
        foreach (var statement in statements)
        {
            await Gateway.ExecuteAsync(statement.Replace("{db}", Database, StringComparison.Ordinal), ct: Ct);
        }
    }

    public Task<T> AskAsync<T>(string sql) => Gateway.ScalarAsync<T>(sql.Replace("{db}", Database, StringComparison.Ordinal), ct: Ct);

    /// <summary>All definitions of the database.</summary>
    public Task<string> EverythingAsync() => AskAsync<string>(
        "SELECT arrayStringConcat(arraySort(groupArray(name || ': ' || create_table_query)), '\n') FROM system.tables WHERE database = '{db}'");

    public async ValueTask DisposeAsync()
    {
        await _server.DropDatabaseAsync(Database);
        Gateway.Dispose();
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Refusal(Proposal proposal) => string.Join('\n', proposal.Checks.Where(c => c.Blocks).Select(c => c.Message));
}
