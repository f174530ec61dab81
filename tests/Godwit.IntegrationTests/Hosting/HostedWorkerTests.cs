using System.Diagnostics;
using Godwit.Fixtures;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Runs;
using Godwit.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Hosting;

/// <summary>The worker of a host, from its start to its end.</summary>
public sealed class HostedWorkerTests(RealEngine real) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-hosted-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_host_that_stops_ends_its_statements_and_the_next_host_goes_on_with_the_run()
    {
        var database = await NewDatabaseAsync();
        string run;
        await using (var first = NewHost(database))
        {
            await first.StartAsync(Ct);
            run = await StartAsync(first.Migrator, "slow");
            await Wait.UntilAsync(async () => await StatementsAsync(database) == 1, Ct);

            await first.Host.StopAsync(Ct);

            (await StatementsAsync(database)).ShouldBe(0);
            var left = await first.Migrator.StatusAsync(run, Ct);
            (left.State, left.Owner).ShouldBe((RunState.Running, null));
        }

        await using var second = NewHost(database);
        await second.StartAsync(Ct);
        await Wait.UntilAsync(async () => await StatementsAsync(database) == 1, Ct);
        (await second.Migrator.RollbackAsync(run, ct: Ct)).State.ShouldBe(RunState.RolledBack);
        await Wait.UntilAsync(() => Task.FromResult(second.HasLogged($"Information [{run}] Run {run}: slow is RolledBack")), Ct);
    }

    [Fact]
    public async Task A_run_whose_code_throws_is_failed_and_the_health_of_the_host_says_why()
    {
        await using var host = NewHost(await NewDatabaseAsync());
        await host.StartAsync(Ct);
        (await host.HealthAsync()).Status.ShouldBe(HealthStatus.Healthy);

        var run = await StartAsync(host.Migrator, "throws");
        await Wait.UntilAsync(async () => (await host.Migrator.StatusAsync(run, Ct)).State == RunState.Failed, Ct);

        var health = await host.HealthAsync();
        health.Status.ShouldBe(HealthStatus.Degraded);
        health.Description.ShouldBe($"Run {run} on throws is Failed: The code work of throws failed with TimeoutException: The shop is closed. Mend the cause, then `resume`: it goes on from its checkpoint; or `rollback`.");
        await Wait.UntilAsync(() => Task.FromResult(host.HasLogged($"Warning [{run}] Run {run}: throws is Failed")), Ct);
    }

    private HostCase NewHost(string database) => new HostCase(
            ("Godwit:ClickHouse:Url", real.Engine.Url.ToString()), ("Godwit:Store", Path.Combine(_folder, "state.db")))
        .With(services => services.AddSingleton(new Database(database)).AddGodwit(godwit => godwit.Migrations.Add<Slow>().Add<Throws>()));

    private static async Task<string> StartAsync(Migrator migrator, string name)
    {
        RunOptions options = new();
        var plan = (await migrator.ProposeAsync(new MigrationRequest(name), options, Ct)).Plan.ShouldNotBeNull();
        var run = await migrator.CreateRunAsync(plan, options, Ct);
        await migrator.QueueAsync(run, "ada", Ct);
        return run;
    }

    private async Task<string> NewDatabaseAsync()
    {
        var database = await real.Engine.NewDatabaseAsync();
        using var gateway = real.Engine.Gateway();
        await gateway.ExecuteAsync($"CREATE TABLE {database}.log (n UInt8) ENGINE = MergeTree ORDER BY n", ct: Ct);
        return database;
    }

    private async Task<long> StatementsAsync(string database)
    {
        using var gateway = real.Engine.Gateway();
        return await gateway.ScalarAsync<long>($"SELECT count() FROM system.processes WHERE startsWith(query, 'INSERT INTO {database}.log')", ct: Ct);
    }

    private sealed record Database(string Name);

    private sealed class Slow(Database database) : Migration
    {
        public override string Name => "slow";

        public override string Description => "For a test";

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations(
            new SqlOperation
            {
                Forward = new([$"INSERT INTO {database.Name}.log SELECT 1 + sleepEachRow(1) FROM numbers(600) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 600000000"]) { Repeatable = true },
                Undo = new([$"TRUNCATE TABLE {database.Name}.log"]),
            });
    }

    private sealed class Throws : Migration
    {
        public override string Name => "throws";

        public override string Description => "For a test";

        public override IReadOnlyList<MigrationCode> Code => [new("work", (_, _) => throw new TimeoutException("The shop is closed.")) { UndoAsync = (_, _) => Task.CompletedTask }];

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations(new CodeOperation("work"));
    }
}
