using Godwit.ClickHouse;
using Godwit.CrashHost;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>A mutation that comes after the guard's last look and before the exchange changes the old table only.</summary>
public sealed class LateMutationTests(RealEngine real) : IAsyncLifetime
{
    private const int Rows = 1000;
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-late-").FullName;
    private readonly ClickHouseGateway _gateway = real.Engine.Gateway();
    private bool _isMutated;
    private IStore _store = null!;
    private QualifiedName _table = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = await SqliteStore.OpenAsync(Path.Combine(_folder, "state.db"), ct: Ct);
        _table = new QualifiedName(await real.Engine.NewDatabaseAsync(), "t");
        await _gateway.ExecuteAsync($"CREATE TABLE {_table.ToSql()} (a UInt64, b UInt64, c UInt64) ENGINE = MergeTree ORDER BY a", ct: Ct);
        await _gateway.ExecuteAsync($"INSERT INTO {_table.ToSql()} SELECT number, 0, 0 FROM numbers({Rows})", ct: Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.ExecuteAsync($"DROP DATABASE {_table.Database} SYNC", ct: CancellationToken.None);
        _gateway.Dispose();
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task It_is_told_to_a_person_who_sends_it_again_and_resumes()
    {
        var (migrator, run) = await RunAsync();

        (await migrator.ResumeAsync(run, ct: Ct)).State.ShouldBe(RunState.Completed);

        (await SumAsync()).ShouldBe(0, "the new table knows nothing of it until it is sent again");
    }

    [Fact]
    public async Task It_is_told_to_a_person_who_rolls_back_to_the_table_that_has_it()
    {
        var (migrator, run) = await RunAsync();

        (await migrator.RollbackAsync(run, ct: Ct)).State.ShouldBe(RunState.RolledBack);

        (await SumAsync()).ShouldBe(Rows);
    }

    private async Task<(Migrator Migrator, string Run)> RunAsync()
    {
        var migrator = new Migrator(_gateway, new CrashingStore(_store, MutateAsync));
        var proposal = await migrator.ProposeAsync(new RebuildRequest { Table = _table, OrderBy = "(b, a)", Strategy = "block-log" }, new RunOptions(), Ct);
        var run = await migrator.CreateRunAsync(proposal.Plan!, new RunOptions(), Ct);

        var status = await migrator.RunAsync(run, ct: Ct);

        status.State.ShouldBe(RunState.NeedsOperator);
        status.Problem.ShouldNotBeNull().ShouldContain(".txt (UPDATE c = 1 WHERE 1) met the exchange of the names and changed the old table only");
        return (migrator, run);
    }

    // The second exchange is that of the rollback.
    private Task MutateAsync(int number, string name, string run, bool isWritten) => isWritten && name == "Intent exchange" && !_isMutated && (_isMutated = true)
        ? _gateway.ExecuteAsync($"ALTER TABLE {_table.ToSql()} UPDATE c = 1 WHERE 1 SETTINGS mutations_sync = 1", ct: Ct)
        : Task.CompletedTask;

    private Task<long> SumAsync() => _gateway.ScalarAsync<long>($"SELECT sum(c) FROM {_table.ToSql()}", ct: Ct);
}
