using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Runs;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Godwit.Hosting;

/// <summary>
/// Healthy when ClickHouse and the store answer and no run waits for a person to mend something. Otherwise Degraded, with the sentences: the product
/// itself may be well, so a probe must not restart it for that.
/// </summary>
internal sealed class GodwitHealthCheck(GodwitInstance instance, HostedWorker worker) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var (store, server) = (StoreAsync(cancellationToken), ServerAsync(cancellationToken));
        List<string> problems = [.. await store, .. await server, .. worker.Defect is { } defect ? [defect] : Array.Empty<string>()];
        return problems.Count == 0
            ? HealthCheckResult.Healthy($"{instance.Gateway.Name} and {instance.StoreName} answer, and no run is in trouble.")
            : new HealthCheckResult(context.Registration.FailureStatus, string.Join(' ', problems));
    }

    private async Task<IReadOnlyList<string>> StoreAsync(CancellationToken ct)
    {
        try
        {
            var runs = await instance.Migrator.ListAsync(ct).WaitAsync(Patience, ct);
            return [.. runs.Where(r => r.Instance == instance.Gateway.Name && r.State is RunState.Failed or RunState.NeedsOperator).Select(r => $"Run {r.RunId} on {r.Subject} is {r.State}: {r.Problem}")];
        }
        catch (Exception e) when (e is StoreException or StoredFormatException)
        {
            return [e.Message];
        }
        catch (TimeoutException)
        {
            return [$"{instance.StoreName}, where runs are kept, did not answer within {Patience.TotalSeconds:0} s."];
        }
    }

    private async Task<IReadOnlyList<string>> ServerAsync(CancellationToken ct)
    {
        try
        {
            // Not a ping, which needs no login.
            await instance.Gateway.ScalarAsync<long>("SELECT 1", new QueryOptions { Timeout = Patience }, ct).WaitAsync(Patience, ct);
            return [];
        }
        catch (ClickHouseException e)
        {
            return [e.Message];
        }
        catch (TimeoutException)
        {
            return [$"{instance.Gateway.Name} did not answer within {Patience.TotalSeconds:0} s."];
        }
    }
}
