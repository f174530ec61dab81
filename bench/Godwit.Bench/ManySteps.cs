using System.Diagnostics;
using System.Globalization;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Postgres;
using Godwit.Metadata.Sqlite;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Runs;

namespace Godwit.Bench;

/// <summary>A run of ten thousand steps in each store, and a worker that has nothing to do.</summary>
internal static class ManySteps
{
    private const int Writes = 400;

    /// <summary>Times what is written and read while such a run goes on.</summary>
    public static async Task StoresAsync(Bench bench, int steps, string folder)
    {
        await using var postgres = await PostgresFixture.StartAsync();
        await using (var sqlite = await SqliteStore.OpenAsync(Path.Combine(folder, "steps.db")))
        {
            await StoreAsync(bench, "SQLite", sqlite, steps);
        }

        await using var store = PostgresStore.Open(postgres.ConnectionString);
        await StoreAsync(bench, "PostgreSQL", store, steps);
    }

    /// <summary>Lets a worker look for something to do for a while, and says what that has cost.</summary>
    public static async Task IdleWorkerAsync(EngineFixture engine, string folder)
    {
        Report.Head("A worker with nothing to do");
        var state = Path.Combine(folder, "idle.db");
        using var worker = Process.Start(new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "Godwit.Cli.dll"), "worker", "--state", state, "--server", engine.Url.ToString()])
        { RedirectStandardError = true })!;
        await worker.StandardError.ReadLineAsync();

        // What is compiled on first use is not what it costs to wait.
        await Task.Delay(TimeSpan.FromSeconds(15));
        worker.Refresh();
        var (before, watch) = (worker.TotalProcessorTime, Stopwatch.StartNew());
        await Task.Delay(TimeSpan.FromSeconds(30));
        worker.Refresh();
        var share = (worker.TotalProcessorTime - before) / watch.Elapsed;
        worker.Kill();
        Report.Say("share of a core", share.ToString("0.00 %", CultureInfo.InvariantCulture), "aim: below 1 %");
    }

    private static async Task StoreAsync(Bench bench, string name, IStore store, int steps)
    {
        Report.Head($"{steps:N0} steps in {name}");
        var migrator = new Migrator(bench.Gateway, store, new MigratorOptions { Migrations = new MigrationSet([new Many(steps)]) });
        var options = new RunOptions();
        var proposal = await migrator.ProposeAsync(new MigrationRequest("many"), options);
        var run = await migrator.CreateRunAsync(proposal.Plan!, options);
        var lease = await store.AcquireLeaseAsync(run, "bench", TimeSpan.FromMinutes(10));
        var records = await store.GetStepsAsync(run);
        await SayAsync("write of a step", i => store.UpdateStepAsync(lease, records[i] with { State = StepState.Done, Attempts = 1 }));
        await SayAsync("write of a journal entry", i => store.AppendJournalAsync(
            lease, new JournalEntry { RunId = run, Step = i, Kind = JournalEntryKind.Fact, Name = "mark", Payload = "{}", At = DateTimeOffset.UtcNow }));
        await SayAsync("status", _ => migrator.StatusAsync(run));
        await SayAsync("list of runs", _ => migrator.ListAsync());
        await SayAsync("list of migrations", _ => migrator.MigrationsAsync());
    }

    private static async Task SayAsync(string what, Func<int, Task> action)
    {
        List<double> times = [];
        for (var i = 0; i < Writes; i++)
        {
            times.Add(await Bench.TimeAsync(() => action(i)) * 1000);
        }

        times.Sort();
        Report.Say(what, string.Create(CultureInfo.InvariantCulture, $"{times[Writes / 2]:0.0} ms, 99 of 100 within {times[Writes * 99 / 100]:0.0} ms"), "aim: below 50 ms");
    }

    internal sealed class Many(int steps) : Migration
    {
        public override string Name => "many";

        public override string Description => "A migration of many steps";

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) =>
            Task.FromResult<IReadOnlyList<Operation>>(Enumerable.Range(0, steps).Select(i => new SqlOperation($"SELECT {i}") { Undo = new SqlStatements([]) }).ToList());
    }
}
