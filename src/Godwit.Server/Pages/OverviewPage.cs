using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Runs;
using Godwit.Server.Live;
using Godwit.Server.Pages.Parts;

namespace Godwit.Server.Pages;

/// <summary>Everything that the overview shows at a moment.</summary>
public sealed record OverviewModel
{
    /// <summary>Runs at work.</summary>
    public required IReadOnlyList<RunStatus> Running { get; init; }

    /// <summary>Runs that wait for somebody.</summary>
    public required IReadOnlyList<RunStatus> Waiting { get; init; }

    /// <summary>Runs that can still be rolled back.</summary>
    public required IReadOnlyList<RunStatus> Reversible { get; init; }

    /// <summary>Migrations that this instance needs and that are not done.</summary>
    public required IReadOnlyList<MigrationOverview> Required { get; init; }

    /// <summary>The nodes of the cluster.</summary>
    public required IReadOnlyList<NodeStatus> Nodes { get; init; }

    /// <summary>What is wrong with the server; null when it answers.</summary>
    public string? Trouble { get; init; }
}

/// <summary>What the overview shows, for the page itself and for those that are open.</summary>
internal sealed class OverviewPage(Migrator migrator, Fragments fragments, TimeProvider clock)
{
    /// <summary>What servers are asked is asked so seldom, however many look.</summary>
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(10);

    private static readonly Dictionary<string, Type> Regions = new(StringComparer.Ordinal) { ["overview"] = typeof(OverviewParts) };

    private (DateTimeOffset At, Task<Servers> Answer)? _servers;

    /// <summary>Reads it.</summary>
    public async Task<OverviewModel> ReadAsync(CancellationToken ct)
    {
        var runs = (await migrator.ListAsync(ct)).Where(r => r.Instance == migrator.Node).ToList();
        var now = clock.GetUtcNow();
        var servers = await ServersAsync(now).WaitAsync(ct);
        return new OverviewModel
        {
            Running = await StatusAsync(runs.Where(r => r.State is RunState.Starting or RunState.Running or RunState.RollingBack), ct),
            Waiting = await StatusAsync(runs.Where(r => r.State is RunState.NotStarted or RunState.Paused or RunState.AwaitingCutover or RunState.Failed or RunState.NeedsOperator), ct),
            Reversible = await StatusAsync(runs.Where(r => r is { State: RunState.Completed, CleanedUp: false } && r.RollbackUntil is not null), ct),
            Required = servers.Required,
            Nodes = servers.Nodes,
            Trouble = servers.Trouble,
        };
    }

    /// <summary>A frame for those who have it open.</summary>
    public async Task<LiveFrame> LookAsync(CancellationToken ct) => new(await fragments.RenderAsync(await ReadAsync(ct), Regions), new Dictionary<string, string>(StringComparer.Ordinal));

    private Task<Servers> ServersAsync(DateTimeOffset now)
    {
        if (_servers is not { } known || now - known.At > Freshness || known.Answer.IsFaulted)
        {
            _servers = known = (now, AskAsync());
        }

        return known.Answer;
    }

    // Definitions ask the server; when it is away, the rest of the page is still true.
    private async Task<Servers> AskAsync()
    {
        try
        {
            var nodes = migrator.NodesAsync();
            return new Servers([.. (await migrator.MigrationsAsync()).Where(m => m is { IsRequired: true, IsDone: false, IsOrphaned: false })], await nodes, null);
        }
        catch (Exception e) when (e is ClickHouseException or ClusterException)
        {
            return new Servers([], [], e.Message);
        }
    }

    private async Task<IReadOnlyList<RunStatus>> StatusAsync(IEnumerable<RunRecord> runs, CancellationToken ct)
    {
        List<RunStatus> all = [];
        foreach (var run in runs.Take(50))
        {
            all.Add(await migrator.StatusAsync(run.RunId, ct));
        }

        return all;
    }

    private sealed record Servers(IReadOnlyList<MigrationOverview> Required, IReadOnlyList<NodeStatus> Nodes, string? Trouble);
}
