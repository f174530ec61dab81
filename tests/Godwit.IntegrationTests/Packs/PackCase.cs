using System.Data.Common;
using System.Reflection;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>PostHog's tables on a server that has nothing else, and a state file of its own.</summary>
internal sealed class PackCase : IAsyncDisposable
{
    private readonly string _folder;
    private readonly IStore _store;

    private PackCase(ClickHouseGateway gateway, string folder, IStore store) => (Gateway, _folder, _store) = (gateway, folder, store);

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The tables before the first migration.</summary>
    public static IReadOnlyList<string> Old { get; } = Schema("old");

    /// <summary>The tables of a new installation.</summary>
    public static IReadOnlyList<string> Fresh { get; } = Schema("fresh");

    public ClickHouseGateway Gateway { get; }

    /// <summary>The cluster that the server belongs to; null when it is alone.</summary>
    public ClusterOptions? Cluster { get; set; }

    /// <summary>PostHog's PostgreSQL, for those who need it.</summary>
    public DbDataSource? PostgreSql { get; set; }

    /// <summary>SQL that makes a UUID of a number.</summary>
    public static string Uuid(string number) => $"toUUID(concat('00000000-0000-4000-8000-', leftPad(hex({number}), 12, '0')))";

    /// <summary>The statements of a schema.</summary>
    public static IReadOnlyList<string> Schema(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"Packs.{name}.sql")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split(";\n", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    }

    public static async Task<PackCase> NewAsync(ClickHouseGateway gateway, params IEnumerable<string> setup)
    {
        var isOld = (await gateway.ScalarAsync<string>("SELECT version()", ct: Ct)).StartsWith("18.", StringComparison.Ordinal);
        await gateway.ExecuteAsync($"DROP DATABASE IF EXISTS posthog{(isOld ? "" : " SYNC")}", ct: Ct);
        var folder = Directory.CreateTempSubdirectory("godwit-pack-").FullName;
        var c = new PackCase(gateway, folder, await SqliteStore.OpenAsync(Path.Combine(folder, "state.db"), ct: Ct));
        await c.SqlAsync([.. setup]);
        return c;
    }

    /// <summary>A migrator that knows these migrations.</summary>
    public Migrator Knows(params IReadOnlyList<Migration> migrations) => Knows(new MigratorOptions { Migrations = new MigrationSet(migrations) });

    /// <inheritdoc cref="Knows(IReadOnlyList{Migration})"/>
    public Migrator Knows(MigratorOptions options) => new(Gateway, _store, options with { PostgreSql = PostgreSql, Cluster = Cluster });

    /// <summary>Runs a migration to its end; it stands alone, and its window of versions does not matter.</summary>
    public async Task<RunStatus> RunAsync(Migration migration, params (string Name, string Value)[] parameters)
    {
        var migrator = Knows(new Alone(migration, false));
        return await RunAsync(migrator, migration.Name, parameters);
    }

    /// <summary>Rolls a run of it back.</summary>
    public Task<RunStatus> RollbackAsync(Migration migration, string runId) => Knows(new Alone(migration, false)).RollbackAsync(runId, ct: Ct);

    /// <summary>What blocks a migration.</summary>
    public async Task<string> RefusalAsync(Migration migration, params (string Name, string Value)[] parameters)
    {
        var proposal = await Knows(new Alone(migration, false)).ProposeAsync(Request(migration.Name, parameters), new RunOptions(), Ct);
        proposal.Plan.ShouldBeNull();
        return Refusal(proposal);
    }

    /// <summary>Lets a migration fail after its last step, rolls it back, and looks whether all is as it was.</summary>
    public async Task FailAndRollBackAsync(Migration migration, params (string Name, string Value)[] parameters)
    {
        var before = await StateAsync();
        var migrator = Knows(new Alone(migration, true));
        var run = await RunAsync(migrator, migration.Name, parameters);
        run.State.ShouldBe(RunState.Failed, run.Problem);
        run.Problem!.ShouldContain(Alone.Failure);
        (await StateAsync()).ShouldNotBe(before, "nothing had been done");

        var back = await migrator.RollbackAsync(run.RunId, ct: Ct);

        back.State.ShouldBe(RunState.RolledBack, back.Problem);
        (await StateAsync()).ShouldBe(before);
    }

    /// <summary>All definitions and rows; of what merges remove, what they leave.</summary>
    public async Task<string> StateAsync()
    {
        List<string> state = [];
        foreach (var table in await Gateway.QueryAsync("SELECT name, engine, create_table_query FROM system.tables WHERE database = 'posthog' ORDER BY name", ct: Ct))
        {
            var final = table["engine"].Contains("Replacing", StringComparison.Ordinal) || table["engine"].Contains("Collapsing", StringComparison.Ordinal) ? " FINAL" : "";
            var rows = table["engine"].EndsWith("MergeTree", StringComparison.Ordinal)
                ? await Gateway.ScalarAsync<string>($"SELECT concat(toString(count()), ' ', toString(sum(cityHash64(*)))) FROM posthog.{Sql.Identifier(table["name"])}{final}", ct: Ct)
                : "";
            state.Add($"{table["create_table_query"]} {rows}");
        }

        return string.Join('\n', state);
    }

    public async Task SqlAsync(params string[] statements)
    {
        foreach (var statement in statements)
        {
            await Gateway.ExecuteAsync(statement, ct: Ct);
        }
    }

    public Task<T> AskAsync<T>(string sql) => Gateway.ScalarAsync<T>(sql, ct: Ct);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<RunStatus> RunAsync(Migrator migrator, string name, (string Name, string Value)[] parameters)
    {
        var options = new RunOptions { MinFreeDisk = 0 };
        var proposal = await migrator.ProposeAsync(Request(name, parameters), options, Ct);
        return await migrator.RunAsync(await migrator.CreateRunAsync(proposal.Plan.ShouldNotBeNull(Refusal(proposal)), options, Ct), ct: Ct);
    }

    private static MigrationRequest Request(string name, (string Name, string Value)[] parameters) =>
        new(name) { Parameters = parameters.ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal) };

    private static string Refusal(Proposal proposal) => string.Join('\n', proposal.Checks.Where(c => c.Blocks).Select(c => c.Message));

    /// <summary>A migration without those that it depends on and without its window; it fails after its last step when that is wanted.</summary>
    private sealed class Alone(Migration inner, bool fails) : Migration
    {
        public const string Failure = "this is the end";

        public override string Name => inner.Name;

        public override string Description => inner.Description;

        public override IReadOnlyList<ServiceRequirement> Requires => inner.Requires;

        public override IReadOnlyList<Parameter> Parameters => inner.Parameters;

        public override IReadOnlyList<MigrationCheck> Checks => inner.Checks;

        public override IReadOnlyList<MigrationCode> Code => inner.Code;

        public override Task<Requirement> IsRequiredAsync(MigrationContext context, CancellationToken ct) => inner.IsRequiredAsync(context, ct);

        public override Task<double?> ProgressAsync(MigrationContext context, CancellationToken ct) => inner.ProgressAsync(context, ct);

        public override async Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) =>
            [.. await inner.PlanAsync(context, ct), .. fails ? [new SqlOperation($"SELECT toInt64('{Failure}')") { Undo = new([]) }] : Array.Empty<Operation>()];
    }
}
