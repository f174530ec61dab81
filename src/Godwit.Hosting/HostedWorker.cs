using System.Diagnostics.CodeAnalysis;
using Godwit.Workers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Godwit.Hosting;

/// <summary>Lets a <see cref="Worker"/> work for as long as the host runs, and writes what happens into the host's log.</summary>
internal sealed class HostedWorker(GodwitInstance instance, ILogger<HostedWorker> logger) : BackgroundService, IProgress<WorkerEvent>
{
    private static readonly TimeSpan PauseAfterDefect = TimeSpan.FromSeconds(30);

    /// <summary>What ended the worker that it did not expect; null while it works.</summary>
    public string? Defect { get; private set; }

    public void Report(WorkerEvent value)
    {
        switch (value)
        {
            case { RunId: { } run, IsTrouble: true }:
                logger.RunTrouble(run, value.Message);
                break;
            case { RunId: { } run }:
                logger.RunNews(run, value.Message);
                break;
            case { IsTrouble: true }:
                logger.Trouble(value.Message);
                break;
            default:
                logger.News(value.Message);
                break;
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A defect of Godwit must be seen, and must not take the product down with it.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!instance.RunsWorker)
        {
            logger.NoWorker(instance.Migrator.Node);
            return;
        }

        logger.Ready(instance.Migrator.Node, instance.Definitions, instance.StoreName);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                Defect = null;
                await new Worker(instance.Migrator, this).RunAsync(stoppingToken);
            }
            catch (Exception e)
            {
                Defect = $"Godwit's worker met an error that it does not know ({e.GetType().Name}: {e.Message}) and tries again.";
                logger.Defect(e, PauseAfterDefect);
                await Task.Delay(PauseAfterDefect, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
