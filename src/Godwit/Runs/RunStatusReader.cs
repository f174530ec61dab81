using System.Collections.Concurrent;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Workers;

namespace Godwit.Runs;

/// <summary>Reads what is known of runs. Keeps the plans that it has read: they never change.</summary>
internal sealed class RunStatusReader(IStore store, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, Plan> _plans = new(StringComparer.Ordinal);

    public async Task<Plan> PlanAsync(string runId, CancellationToken ct)
    {
        if (!_plans.TryGetValue(runId, out var plan))
        {
            _plans[runId] = plan = await store.GetPlanAsync(runId, ct);
        }

        return plan;
    }

    public async Task<RunStatus> ReadAsync(string runId, CancellationToken ct)
    {
        var run = await store.FindRunAsync(runId, ct) ?? throw new RunNotFoundException(runId);
        var plan = await PlanAsync(runId, ct);
        var lease = await store.FindLeaseAsync(runId, ct);
        var status = RunStatusBuilder.Build(
            run, plan, await store.GetStepsAsync(runId, ct), await store.GetErrorsAsync(runId, ct), lease?.ExpiresAt > clock.GetUtcNow() ? lease.Owner : null);
        var hold = run.State == RunState.NotStarted ? WorkerSettings.Read(await store.GetSettingsAsync(ct)).StartHold(RunOptions.Read(run.Options), clock.GetUtcNow()) : null;
        var limit = await store.FindRowLimitAsync(runId, ct);
        var isLeft = status.Owner is null && run.State is (RunState.Running or RunState.RollingBack);
        return status with
        {
            FeedHeldSince = isLeft ? FeedHold.Since(await store.GetJournalAsync(runId, ct)) : null,
            StartHold = hold,
            Asked = await store.GetRequestAsync(runId, ct),
            MaxRowsPerSecond = limit is null ? status.MaxRowsPerSecond : limit.RowsPerSecond,
        };
    }
}
