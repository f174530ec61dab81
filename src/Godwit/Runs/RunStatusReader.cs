using System.Collections.Concurrent;
using Godwit.Metadata;
using Godwit.Plans;

namespace Godwit.Runs;

/// <summary>Reads what is known of runs. Keeps the plans that it has read: they never change.</summary>
internal sealed class RunStatusReader(IRunStore store, TimeProvider clock)
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
        var limit = await store.FindRowLimitAsync(runId, ct);
        return status with
        {
            Asked = await store.GetRequestAsync(runId, ct),
            MaxRowsPerSecond = limit is null ? status.MaxRowsPerSecond : limit.RowsPerSecond,
        };
    }
}
