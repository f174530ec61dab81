using System.Diagnostics;
using Godwit.Cli.Progress;
using Godwit.ClickHouse;
using Godwit.Engine;
using Godwit.Metadata.Sqlite;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Cli.Demo;

/// <summary>The main job on a machine that has nothing: engine, table, writers, rebuild, proof.</summary>
internal sealed class Demonstration(Invocation call, string folder)
{
    private const int Writers = 4;
    private const int BatchSize = 200;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    /// <summary>Runs it and returns what it found; null when it was interrupted or the run did not complete.</summary>
    public async Task<DemoResult> RunAsync(long rows)
    {
        var say = call.Output.Text;
        await using var engine = await EngineProcess.StartAsync(new EngineOptions { Path = Path.Combine(folder, "engine"), Say = call.Output.Error.WriteLine }, call.Token);
        var server = new ClickHouseOptions { Url = engine.Url };
        using var gateway = new ClickHouseGateway(server);
        await say.WriteLineAsync($"ClickHouse 26.7 runs at {engine.Url}, its data in {folder}.");
        var events = new EventsTable(gateway);
        await events.CreateAsync(rows, call.Token);
        var asked = await events.AskAsync(call.Token);
        await say.WriteLineAsync($"{EventsTable.Name} holds {rows:N0} events of six months, sorted by person. Four writers insert into it all the time from now on.");

        await using var writers = new LiveWriters(server, EventsTable.LiveInsert, BatchSize);
        writers.Start(Writers);
        return await RebuildAsync(gateway, events, writers, rows, asked);
    }

    private async Task<DemoResult> RebuildAsync(
        ClickHouseGateway gateway, EventsTable events, LiveWriters writers, long rows, (long Rows, double Milliseconds) asked)
    {
        var started = Stopwatch.GetTimestamp();
        await Task.Delay(Quiet, call.Token);
        await using var store = await SqliteRunStore.OpenAsync(Path.Combine(folder, "godwit.db"), ct: call.Token);
        var migrator = new Migrator(gateway, store);
        var request = new RebuildRequest { Table = EventsTable.Name, OrderBy = EventsTable.NewOrderBy, SampleBy = EventsTable.NewSampleBy };
        var proposal = await migrator.ProposeAsync(request, new RunOptions(), call.Token);
        var plan = proposal.Plan ?? throw new Checks.RefusedException(proposal.Checks);
        call.Screen().Write(Rendering.PlanView.Of(plan, proposal.Checks));
        var run = await migrator.CreateRunAsync(plan, new RunOptions(), call.Token);
        var began = Stopwatch.GetTimestamp();
        var status = await Foreground.RunAsync(call, progress => migrator.RunAsync(run, progress, call.Token));
        var ended = Stopwatch.GetTimestamp();
        call.Token.ThrowIfCancellationRequested();
        await Task.Delay(Quiet / 3, call.Token);
        await writers.StopAsync();
        await call.Output.Text.WriteLineAsync("The writers have stopped. Every row that the server acknowledged is looked for now.");

        var (lost, duplicated) = await events.CompareAsync(rows, writers.Acknowledged, call.Token);
        var answered = await events.AskAsync(call.Token);
        var journal = await store.GetJournalAsync(run, call.Token);
        var copied = journal.Where(e => e.Name.Contains("/forward-base-", StringComparison.Ordinal)).ToList();
        var seconds = copied.Count == 0 ? 0 : (copied[^1].At - copied[0].At).TotalSeconds;
        return new DemoResult
        {
            State = status.State,
            RowsBefore = rows,
            RowsWritten = writers.Acknowledged.Sum(b => (long)b.Count),
            RowsAfter = await events.CountAsync(call.Token),
            Lost = lost,
            Duplicated = duplicated,
            RefusedWrites = writers.Refused,
            RetriedWrites = writers.Retried,
            CopySeconds = Math.Round(seconds, 2),
            RowsPerSecond = seconds > 0 ? Math.Round(rows / seconds) : 0,
            VisibilityGapMs = status.Cutover?.VisibilityGapMs ?? 0,
            CutoverMs = status.Cutover?.ExchangeMs ?? 0,
            InsertP99MsBefore = writers.P99(started, began),
            InsertP99MsDuring = writers.P99(began, ended),
            QueryRowsBefore = asked.Rows,
            QueryRowsAfter = answered.Rows,
            QueryMsBefore = asked.Milliseconds,
            QueryMsAfter = answered.Milliseconds,
        };
    }
}
