using System.Diagnostics;
using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata.Postgres;
using Godwit.Migrations;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>Two workers, one of which is frozen past its lease in the middle of a step and then goes on, do no step twice.</summary>
public sealed class FrozenWorkerTests
{
    private const int Steps = 60;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_worker_that_was_frozen_and_wakes_up_does_nothing_twice()
    {
        await using var engine = await EngineFixture.StartAsync(hasQueryLog: true);
        await using var postgres = await PostgresFixture.StartAsync();
        await using var store = PostgresStore.Open(postgres.ConnectionString);
        var folder = Directory.CreateTempSubdirectory("godwit-frozen-");
        var file = Path.Combine(folder.FullName, "m.yaml");
        using var gateway = engine.Gateway();
        await gateway.ExecuteAsync("CREATE DATABASE app ENGINE = Atomic", ct: Ct);
        await gateway.ExecuteAsync("CREATE TABLE app.log (step UInt32) ENGINE = MergeTree ORDER BY step", ct: Ct);
        await File.WriteAllTextAsync(file, $"""
            name: m
            description: For a test
            operations:
              - forEach: SELECT number FROM numbers({Steps})
                operations:
                  - sql: INSERT INTO app.log SELECT {"${number}"} + sleep(0.2)
                    undo: []
            """, Ct);
        var migrator = new Migrator(gateway, store, new MigratorOptions { Migrations = MigrationLoader.Load(file) });
        var runId = await MigrationCase.CreateAsync(migrator, "m");
        await migrator.QueueAsync(runId, "ada", Ct);
        using var one = Worker(engine, postgres, file);
        using var two = Worker(engine, postgres, file);
        try
        {
            foreach (var reached in new[] { 5, 25, 45 })
            {
                await FreezeOwnerAsync(migrator, gateway, runId, reached);
            }

            await Wait.UntilAsync(async () => (await migrator.StatusAsync(runId, Ct)).State is not (RunState.NotStarted or RunState.Starting or RunState.Running), Ct);
        }
        finally
        {
            one.Kill();
            two.Kill();
        }

        var status = await migrator.StatusAsync(runId, Ct);
        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await gateway.ScalarAsync<string>("SELECT toString((count(), uniqExact(step))) FROM app.log", ct: Ct)).ShouldBe($"({Steps},{Steps})");
        folder.Delete(recursive: true);
    }

    /// <summary>Freezes whoever owns the run, until another one has gone on with it.</summary>
    private static async Task FreezeOwnerAsync(Migrator migrator, ClickHouseGateway gateway, string runId, int reached)
    {
        string? owner = null;
        await Wait.UntilAsync(async () => await RowsAsync(gateway) >= reached && (owner = (await migrator.StatusAsync(runId, Ct)).Owner) is not null, Ct);
        var pid = owner!.Split(':')[1];
        await SignalAsync("-STOP", pid);
        await Wait.UntilAsync(async () => (await migrator.StatusAsync(runId, Ct)).Owner is { } other && other != owner, Ct);
        var before = await RowsAsync(gateway);
        await Wait.UntilAsync(async () => await RowsAsync(gateway) > before, Ct);
        await SignalAsync("-CONT", pid);
    }

    private static Task<long> RowsAsync(ClickHouseGateway gateway) => gateway.ScalarAsync<long>("SELECT toInt64(count()) FROM app.log", ct: Ct);

    private static async Task SignalAsync(string signal, string pid)
    {
        using var kill = Process.Start("kill", [signal, pid]);
        await kill.WaitForExitAsync(Ct);
        kill.ExitCode.ShouldBe(0);
    }

    private static Process Worker(EngineFixture engine, PostgresFixture postgres, string migrations) => Process.Start(
        "dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "Godwit.Cli.dll"), "worker",
            "--server", string.Create(CultureInfo.InvariantCulture, $"http://{engine.Url.Host}:{engine.Url.Port}"), "--state", postgres.Url, "--migrations", migrations,
        ]);
}
