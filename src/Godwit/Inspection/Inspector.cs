using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Inspection;

/// <summary>Looks at the servers for people who do not know yet what to run. Nothing is changed; an estimate makes a temporary table that the server itself takes away.</summary>
internal sealed class Inspector(RunHost host)
{
    public Task<IReadOnlyList<NodeStatus>> NodesAsync(CancellationToken ct) => new NodeReader(host.Gateway, new ClusterMap(host.Gateway, host.Cluster), host.Cluster).ReadAsync(ct);

    public Task<TablePage> TablesAsync(TableFilter filter, int most, int offset, CancellationToken ct) => new TableListReader(host.Gateway).ReadAsync(filter, most, offset, ct);

    public Task<TableDetail?> TableAsync(QualifiedName table, CancellationToken ct) => new TableDetailReader(host.Gateway, table).ReadAsync(ct);

    public Task<Workload> WorkloadAsync(QualifiedName table, int days, CancellationToken ct) => new WorkloadReader(host.Gateway).ReadAsync(table, days, ct);

    public Task<KeySelectivity> SelectivityAsync(QualifiedName table, IReadOnlyList<string> candidates, int days, CancellationToken ct) =>
        new SelectivityReader(host.Gateway).ReadAsync(table, candidates, days, ct);

    public Task<KeyProposals> SuggestKeysAsync(QualifiedName table, int days, CancellationToken ct) => new SelectivityReader(host.Gateway).SuggestAsync(table, days, ct);

    public Task<RebuildEstimate> EstimateAsync(RebuildRequest request, int days, CancellationToken ct) => new RebuildEstimator(host.Gateway, host.Clock).EstimateAsync(request, days, ct);

    public Task<Comparison> CompareAsync(ComparisonRequest request, CancellationToken ct) => new ComparisonReader(host.Gateway, request).ReadAsync(ct);
}
