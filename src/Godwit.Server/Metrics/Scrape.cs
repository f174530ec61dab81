using Godwit.ClickHouse;
using Godwit.Hosting;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Runs;

namespace Godwit.Server.Metrics;

/// <summary>Gathers what /metrics says. Asks ClickHouse for a ping and the store for what it holds, neither for long; one that is away is a 0.</summary>
internal sealed class Scrape(GodwitInstance instance, HostedWorker worker, RequiredMigrations required, HttpMeter http, Tally tally)
{
    /// <summary>How long a server may take: less than the ten seconds that Prometheus waits.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Runs that are told of one by one. An instance takes few at a time, but anybody may plan as many as he likes.</summary>
    private const int MostRuns = 100;

    private static readonly string Version = typeof(Scrape).Assembly.GetName().Version!.ToString(3);

    /// <summary>The whole answer.</summary>
    public async Task<string> ReadAsync(CancellationToken ct)
    {
        var text = new MetricText();
        text.Add(Metric.BuildInfo, 1, Version);
        var (server, store) = (AnswersAsync(ct), StoreAsync(ct));
        text.Add(Metric.ClickHouseUp, await server ? 1 : 0, instance.Gateway.Name);
        Write(text, await store);
        if (instance.RunsWorker)
        {
            text.Add(Metric.WorkerUp, worker.Defect is null ? 1 : 0);
        }

        if (required.Read() is { } count)
        {
            text.Add(Metric.MigrationsRequired, count);
        }

        http.Write(text);
        text.Add(Metric.LivePages, tally.LivePages);
        text.Add(Metric.LoginsRefused, tally.LoginsRefused);
        return text.ToString();
    }

    private async Task<bool> AnswersAsync(CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        try
        {
            await instance.Gateway.PingAsync(limit.Token);
            return true;
        }
        catch (Exception e) when (e is ClickHouseException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return false;
        }
    }

    private async Task<Stored?> StoreAsync(CancellationToken ct)
    {
        try
        {
            return await Task.Run(() => ReadStoreAsync(ct), ct).WaitAsync(Patience, ct);
        }
        catch (Exception e) when (e is StoreException or StoredFormatException or TimeoutException)
        {
            return null;
        }
    }

    private async Task<Stored> ReadStoreAsync(CancellationToken ct)
    {
        var runs = (await instance.Migrator.ListAsync(ct)).Where(r => r.Instance == instance.Gateway.Name).ToList();
        List<(RunRecord, RunStatus)> open = [];
        foreach (var run in runs.Where(r => !RunTransitions.IsFinal(r.State) && !r.CleanedUp).OrderByDescending(r => RunTransitions.IsActive(r.State)).Take(MostRuns))
        {
            try
            {
                open.Add((run, await instance.Migrator.StatusAsync(run.RunId, ct)));
            }
            catch (StoredFormatException)
            {
                // A run of a newer Godwit is counted among its state, and cannot be told of.
            }
        }

        return new Stored(runs, open);
    }

    private static void Write(MetricText text, Stored? stored)
    {
        text.Add(Metric.StoreUp, stored is null ? 0 : 1);
        if (stored is null)
        {
            return;
        }

        foreach (var state in Enum.GetValues<RunState>())
        {
            text.Add(Metric.Runs, stored.Runs.Count(r => r.State == state), state.ToString());
        }

        foreach (var (run, status) in stored.Open)
        {
            Write(text, run, status);
        }
    }

    private static void Write(MetricText text, RunRecord run, RunStatus status)
    {
        var (id, subject) = (run.RunId, run.Subject);
        text.Add(Metric.RunInfo, 1, id, subject, status.State.ToString(), status.Strategy ?? "");
        text.Add(Metric.RunProgress, status.Percent / 100, id, subject);
        text.Add(Metric.RunRowsCopied, status.RowsCopied, id, subject);
        text.Add(Metric.RunRowsPlanned, status.RowsTotal, id, subject);
        text.Add(Metric.RunRowsPerSecond, status.RowsPerSecond, id, subject);
        if (status.LagSeconds is { } lag)
        {
            text.Add(Metric.RunLag, lag, id, subject);
        }

        if (status.EtaSeconds is { } eta)
        {
            text.Add(Metric.RunEta, eta, id, subject);
        }

        text.Add(Metric.RunHeld, status.Brake is not null || status.State == RunState.Paused ? 1 : 0, id, subject);
        foreach (var state in Enum.GetValues<StepState>())
        {
            text.Add(Metric.RunSteps, status.Steps.Count(s => s.State == state), id, subject, Plain.Word(state));
        }

        text.Add(Metric.RunErrors, status.Errors.Count, id, subject);
    }

    private sealed record Stored(IReadOnlyList<RunRecord> Runs, IReadOnlyList<(RunRecord Run, RunStatus Status)> Open);
}
