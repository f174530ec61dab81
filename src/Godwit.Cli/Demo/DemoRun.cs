using System.Diagnostics;
using Godwit.Checks;
using Godwit.Cli.Progress;
using Godwit.Cli.Rendering;
using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Cli.Demo;

/// <summary>One demo from the empty table to the verdict, on a site that somebody else cleans up.</summary>
internal sealed class DemoRun(Invocation call, DemoSite site, long rows)
{
    private const int Writers = 4;
    private const long FillAtOnce = 500_000;
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan After = TimeSpan.FromSeconds(2);
    private readonly Migrator _migrator = new(site.Gateway, site.Store, new MigratorOptions { Clock = call.Environment.Clock });

    /// <summary>Does it all.</summary>
    public async Task<DemoResult> RunAsync()
    {
        var ct = call.Token;
        await FillAsync(ct);
        var queryBefore = await QueryFigures.MeasureAsync(site.Gateway, DemoEvents.Query, ct);
        Say($"A query (one team, one event, all time) reads {Plain.Count(queryBefore.RowsRead)} rows and takes {queryBefore.Milliseconds} ms.");

        var log = new WriterLog();
        log.AddPresent(new IdRange(0, rows - 1));
        using var clients = new ClickHouseGateway(new ClickHouseOptions { Url = site.Engine.Url });
        var (status, writing) = await RebuildUnderWritersAsync(clients, log, ct);
        ct.ThrowIfCancellationRequested();

        Say($"The writers have stopped: {Plain.Count(log.AcknowledgedRows)} rows. Comparing their log with the table …");
        var verdict = await new WriterOracle(site.Gateway, DemoEvents.Table, DemoEvents.Id).CompareAsync(log, ct);
        var queryAfter = await QueryFigures.MeasureAsync(site.Gateway, DemoEvents.Query, ct);
        var times = RunTimes.Of(await site.Store.GetPlanAsync(status.RunId, ct), await site.Store.GetJournalAsync(status.RunId, ct));
        return Result(status, times, log, verdict, writing, (queryBefore, queryAfter));
    }

    /// <summary>Makes the table and fills it.</summary>
    public async Task FillAsync(CancellationToken ct)
    {
        Say($"Filling {DemoEvents.Table} with {Plain.Count(rows)} rows of half a year, sorted by (team_id, toDate(timestamp), distinct_id, uuid) …");
        foreach (var sql in DemoEvents.Create)
        {
            await site.Gateway.ExecuteAsync(sql, ct: ct);
        }

        var options = new QueryOptions { Timeout = Timeout.InfiniteTimeSpan };
        var began = Stopwatch.GetTimestamp();
        for (var first = 0L; first < rows; first += FillAtOnce)
        {
            await site.Gateway.ExecuteAsync(DemoEvents.Fill(first, Math.Min(FillAtOnce, rows - first), rows), options, ct);
        }

        Say($"Filled in {Plain.Time(Stopwatch.GetElapsedTime(began))}.");
    }

    private async Task<(RunStatus Status, Writing Writing)> RebuildUnderWritersAsync(ClickHouseGateway clients, WriterLog log, CancellationToken ct)
    {
        Say($"{Writers} writers begin to insert without pause.");
        var options = new LiveWriterOptions { Table = DemoEvents.Table, Rows = DemoEvents.LiveRows, Writers = Writers };
        await using var writer = LiveWriter.Start(clients, options, log);
        var probe = VisibilityProbe.Start(clients, DemoEvents.Table, DemoEvents.Id, log);
        RunStatus status;
        long started, began, ended;
        await using (probe)
        {
            started = Stopwatch.GetTimestamp();
            await Task.Delay(Before, ct);
            began = Stopwatch.GetTimestamp();
            status = await RebuildAsync(ct);
            ended = Stopwatch.GetTimestamp();
            await Task.Delay(After, ct);
            await writer.StopAsync();
        }

        return (status, new Writing(log.LatencyMs(0.99, started, began), log.LatencyMs(0.99, began, ended), probe.LongestGap));
    }

    private async Task<RunStatus> RebuildAsync(CancellationToken ct)
    {
        var options = new RunOptions();
        var proposal = await _migrator.ProposeAsync(DemoEvents.Wish, options, ct);
        if (proposal.Plan is not { } plan || proposal.Checks.Any(c => c.Blocks))
        {
            throw new RefusedException(proposal.Checks);
        }

        new Screen(call.Output.Error, call.Environment.IsErrorTerminal, call.Environment).Write(PlanView.Of(plan, proposal.Checks));
        var run = await _migrator.CreateRunAsync(plan, options, ct);
        Say($"The rebuild begins, to ORDER BY {DemoEvents.Wish.OrderBy} SAMPLE BY {DemoEvents.Wish.SampleBy}.");
        return await Foreground.RunAsync(call, progress => _migrator.RunAsync(run, progress, ct));
    }

    private DemoResult Result(
        RunStatus status, RunTimes times, WriterLog log, OracleVerdict verdict, Writing writing, (QueryFigures Before, QueryFigures After) query)
    {
        var refusals = log.Refusals().Select(words => $"refused: {words}");
        return new DemoResult
        {
            State = status.State,
            RowsBefore = rows,
            RowsWritten = log.AcknowledgedRows,
            RowsAfter = verdict.Rows,
            Lost = verdict.Lost,
            Duplicated = verdict.Duplicated,
            RefusedWrites = log.RefusedWrites,
            RetriedWrites = log.RetriedWrites,
            CopySeconds = Math.Round(times.Copy.TotalSeconds, 2),
            RowsPerSecond = times.Copy > TimeSpan.Zero ? Math.Round(status.RowsCopied / times.Copy.TotalSeconds) : 0,
            VisibilityGapMs = status.Cutover?.VisibilityGapMs ?? 0,
            ReaderGapMs = Math.Round(writing.ReaderGap.TotalMilliseconds, 1),
            CutoverMs = Math.Round(times.Cutover.TotalMilliseconds, 1),
            ExchangeMs = status.Cutover?.ExchangeMs ?? 0,
            InsertP99MsBefore = Math.Round(writing.P99Before, 1),
            InsertP99MsDuring = Math.Round(writing.P99During, 1),
            QueryBefore = query.Before,
            QueryAfter = query.After,
            Problems = [.. status.Problem is { } problem ? [problem] : Array.Empty<string>(), .. verdict.Examples, .. refusals],
        };
    }

    private void Say(string sentence) => call.Output.Error.WriteLine(sentence);

    /// <summary>What the writers and the reader felt.</summary>
    private sealed record Writing(double P99Before, double P99During, TimeSpan ReaderGap);
}
