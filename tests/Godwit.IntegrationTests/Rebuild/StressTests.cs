using System.Globalization;
using System.Runtime.CompilerServices;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>
/// Rebuilds under writers that never pause: every acknowledged row must be there exactly once. How often is said by
/// GODWIT_STRESS_RUNS.
/// </summary>
public sealed class StressTests(RealEngine server, ITestOutputHelper output) : IDisposable
{
    private static readonly int Runs = int.Parse(Environment.GetEnvironmentVariable("GODWIT_STRESS_RUNS") ?? "1", CultureInfo.InvariantCulture);
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-stress-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public Task Nothing_is_lost_or_doubled_by_a_rebuild() => RepeatAsync(Runs, async seed =>
    {
        await using var table = await StressTable.CreateAsync(server.Engine, "MergeTree", 5000, seed);
        await using var godwit = await OpenAsync();

        await CompletedAsync(godwit, table, await StartAsync(godwit, table));

        await table.RequireExactAsync();
    });

    [Fact]
    public Task Nothing_is_lost_or_doubled_when_a_completed_rebuild_is_rolled_back() => RepeatAsync(Some, async seed =>
    {
        await using var table = await StressTable.CreateAsync(server.Engine, "MergeTree", 5000, seed);
        await using var godwit = await OpenAsync();
        var run = await StartAsync(godwit, table);
        await CompletedAsync(godwit, table, run);

        var status = await godwit.Migrator.RollbackAsync(run, ct: Token);

        status.State.ShouldBe(RunState.RolledBack, status.Problem);
        await table.RequireExactAsync();
    });

    [Fact]
    public Task The_newest_row_of_every_key_survives_in_a_ReplacingMergeTree() => RepeatAsync(Some, async seed =>
    {
        await using var table = await StressTable.CreateAsync(server.Engine, "ReplacingMergeTree(version)", 5000, seed);
        await using var godwit = await OpenAsync();

        await CompletedAsync(godwit, table, await StartAsync(godwit, table));

        await table.RequireExactAsync(Folding.Newest);
    });

    [Fact]
    public Task The_newest_row_of_every_key_survives_where_merges_go_on_during_the_copy() => RepeatAsync(Some, async seed =>
    {
        await using var table = await StressTable.CreateAsync(server.Engine, "ReplacingMergeTree(version)", 5000, seed);
        await using var godwit = await OpenAsync();

        await CompletedAsync(godwit, table, await StartAsync(godwit, table, request: table.SameKeyRequest));

        await table.RequireExactAsync(Folding.Newest);
    });

    [Fact]
    public Task The_newest_row_of_every_key_survives_the_rollback_of_a_ReplacingMergeTree() => RepeatAsync(Some, async seed =>
    {
        await using var table = await StressTable.CreateAsync(server.Engine, "ReplacingMergeTree(version)", 5000, seed);
        await using var godwit = await OpenAsync();
        var run = await StartAsync(godwit, table, request: table.SameKeyRequest);
        await CompletedAsync(godwit, table, run);

        var status = await godwit.Migrator.RollbackAsync(run, ct: Token);

        status.State.ShouldBe(RunState.RolledBack, status.Problem);
        await table.RequireExactAsync(Folding.Newest);
    });

    [Fact]
    public Task Sums_are_what_was_written_in_a_SummingMergeTree() => RepeatAsync(Some, async seed =>
    {
        await using var table = await StressTable.CreateAsync(server.Engine, "SummingMergeTree((n, id))", 500, seed);
        await using var godwit = await OpenAsync();

        await CompletedAsync(godwit, table, await StartAsync(godwit, table));

        await table.RequireExactAsync(Folding.Sum);
    });

    [Fact]
    public Task Nothing_is_lost_or_doubled_when_the_copy_is_paused_and_resumed() => RepeatAsync(Some, async seed =>
    {
        await using var table = await StressTable.CreateAsync(server.Engine, "MergeTree", 5000, seed);
        await using var godwit = await OpenAsync();
        await using var other = await OpenAsync();
        var run = await StartAsync(godwit, table, new RunOptions { MaxRowsPerSecond = 10_000 });
        var work = godwit.Migrator.RunAsync(run, ct: Token);
        await UntilAsync(godwit, run, s => s.Steps.Any(step => step is { Kind: "copy-partition", State: StepState.Running }));

        (await other.Migrator.PauseAsync(run, Token)).State.ShouldBe(RunState.Paused);
        await other.Migrator.ResumeAsync(run, ct: Token);

        var status = await work;
        status.State.ShouldBe(RunState.Completed, status.Problem);
        Report(table, status);
        await table.RequireExactAsync();
    });

    [Fact]
    public Task Nothing_is_lost_or_doubled_when_the_cutover_is_asked_for_from_elsewhere() => RepeatAsync(Some, async seed =>
    {
        await using var table = await StressTable.CreateAsync(server.Engine, "MergeTree", 5000, seed);
        await using var godwit = await OpenAsync();
        await using var other = await OpenAsync();
        var run = await StartAsync(godwit, table, new RunOptions { DeferCutover = true });
        var work = godwit.Migrator.RunAsync(run, ct: Token);
        await UntilAsync(godwit, run, s => s.State == RunState.AwaitingCutover);

        await other.Migrator.CutOverAsync(run, ct: Token);

        var status = await work;
        status.State.ShouldBe(RunState.Completed, status.Problem);
        Report(table, status);
        await table.RequireExactAsync();
    });

    private static int Some => (Runs + 2) / 3;

    private static async Task<string> StartAsync(OpenStore godwit, StressTable table, RunOptions? options = null, RebuildRequest? request = null)
    {
        options ??= new RunOptions();
        var proposal = await godwit.Migrator.ProposeAsync(request ?? table.Request, options, Token);
        proposal.Plan.ShouldNotBeNull(string.Join(Environment.NewLine, proposal.Checks.Where(c => c.Blocks).Select(c => c.Message)));
        return await godwit.Migrator.CreateRunAsync(proposal.Plan, options, Token);
    }

    private static Task UntilAsync(OpenStore godwit, string run, Func<RunStatus, bool> condition, [CallerArgumentExpression(nameof(condition))] string? what = null) =>
        Wait.UntilAsync(async () => condition(await godwit.Migrator.StatusAsync(run, Token)), Token, what);

    private async Task CompletedAsync(OpenStore godwit, StressTable table, string run)
    {
        var status = await godwit.Migrator.RunAsync(run, ct: Token);
        status.State.ShouldBe(RunState.Completed, status.Problem);
        Report(table, status);
    }

    private void Report(StressTable table, RunStatus status) => output.WriteLine(
        $"stress: {DateTime.UtcNow:HH:mm:ss} {table.Name} run {status.RunId}: exchange {status.Cutover!.ExchangeMs} ms, gap {status.Cutover.VisibilityGapMs} ms, "
        + $"swept {status.Cutover.SweptRows} rows, {table.Writers.Acknowledged.Count} rows written, {table.Writers.Retried} inserts retried");

    private async Task RepeatAsync(int runs, Func<int, Task> run)
    {
        for (var i = 0; i < runs; i++)
        {
            var seed = Random.Shared.Next();
            output.WriteLine($"stress: run {i + 1} of {runs}, seed {seed}");
            await run(seed);
        }
    }

    private async Task<OpenStore> OpenAsync() => await OpenStore.OpenAsync(server.Engine, Path.Combine(_folder, "state.db"));

    /// <summary>A Migrator as a process of its own would have it.</summary>
    private sealed class OpenStore(ClickHouseGateway gateway, IStore store) : IAsyncDisposable
    {
        public Migrator Migrator { get; } = new(gateway, store);

        public static async Task<OpenStore> OpenAsync(EngineFixture engine, string file) => new(engine.Gateway(), await SqliteStore.OpenAsync(file));

        public async ValueTask DisposeAsync()
        {
            gateway.Dispose();
            await store.DisposeAsync();
        }
    }
}
