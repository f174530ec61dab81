using Dapper;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Godwit.Metadata.Postgres;
using Godwit.Tests.Metadata;
using Npgsql;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Metadata;

/// <summary>One PostgreSQL for all these tests; each has a schema of its own.</summary>
public sealed class RealPostgres : IAsyncLifetime
{
    public PostgresFixture Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await PostgresFixture.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

/// <summary>The contract on PostgreSQL.</summary>
public sealed class PostgresStoreTests(RealPostgres real) : RunStoreConflictContract, IClassFixture<RealPostgres>
{
    private readonly string _schema = $"s{Guid.NewGuid():N}";

    private protected override Task<IStore> OpenAsync() => Task.FromResult(PostgresStore.Open(real.Server.ConnectionString, _schema, Clock, usesDatabaseClock: false));
}

/// <summary>The contract of accounts on PostgreSQL.</summary>
public sealed class PostgresAccountStoreTests(RealPostgres real) : AccountStoreContract, IClassFixture<RealPostgres>
{
    private readonly string _schema = $"s{Guid.NewGuid():N}";

    private protected override IAccountStore Open() => StoreLocation.Postgres(real.Server.ConnectionString, _schema).OpenAccounts();
}

/// <summary>What is special about a store that is another server.</summary>
public sealed class PostgresServerTests : IAsyncLifetime
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private PostgresFixture _server = null!;

    public async ValueTask InitializeAsync() => _server = await PostgresFixture.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_server_that_is_away_is_told_of_and_used_again_when_it_is_back()
    {
        await _server.StopAsync();
        await using var store = PostgresStore.Open(_server.ConnectionString);
        (await Should.ThrowAsync<StoreException>(store.ListRunsAsync(Ct))).Message.ShouldContain("cannot be reached");
        await _server.StartAgainAsync();
        await store.CreateRunAsync(StoreSamples.Run("aaaaaaaa"), StoreSamples.Plan(), Ct);
        await _server.StopAsync();
        await Should.ThrowAsync<StoreException>(store.ListRunsAsync(Ct));
        await _server.StartAgainAsync();

        (await store.ListRunsAsync(Ct)).ShouldHaveSingleItem().RunId.ShouldBe("aaaaaaaa");
    }

    [Fact]
    public async Task A_schema_of_a_newer_Godwit_is_refused()
    {
        await using (var store = PostgresStore.Open(_server.ConnectionString))
        {
            await store.ListRunsAsync(Ct);
        }

        await using var source = NpgsqlDataSource.Create(_server.ConnectionString);
        await using var command = source.CreateCommand("UPDATE godwit.schema_version SET version = 99");
        await command.ExecuteNonQueryAsync(Ct);
        await using var older = PostgresStore.Open(_server.ConnectionString);

        (await Should.ThrowAsync<StoreException>(older.ListRunsAsync(Ct))).Message.ShouldContain("was written by a newer Godwit (schema 99, this one knows 2)");
    }

    [Fact]
    public async Task A_lease_ends_by_the_clock_of_the_database_whatever_a_machine_thinks_of_the_time()
    {
        var ahead = new ManualClock(DateTimeOffset.UtcNow.AddHours(1));
        await using var store = PostgresStore.Open(_server.ConnectionString);
        await using var other = PostgresStore.Open(_server.ConnectionString, clock: ahead);
        await store.CreateRunAsync(StoreSamples.Run("aaaaaaaa"), StoreSamples.Plan(), Ct);

        await store.AcquireLeaseAsync("aaaaaaaa", "me", TimeSpan.FromMinutes(1), Ct);

        await Should.ThrowAsync<LeaseHeldException>(other.AcquireLeaseAsync("aaaaaaaa", "other", TimeSpan.FromMinutes(1), Ct));
        ((await other.FindLeaseAsync("aaaaaaaa", Ct))!.ExpiresAt - ahead.GetUtcNow()).ShouldBeInRange(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(61));
    }

    [Fact]
    public async Task A_writer_that_sleeps_in_its_transaction_holds_nobody_up_and_writes_anew_when_it_wakes_up()
    {
        await using var source = NpgsqlDataSource.Create(_server.ConnectionString);
        using PostgresDatabase asleep = new(source, "godwit", "one", null), awake = new(source, "godwit", "other", null);
        using var wakes = new ManualResetEventSlim();
        using var sleeps = new ManualResetEventSlim();
        var write = asleep.WriteAsync(
            transaction =>
            {
                sleeps.Set();
                wakes.Wait(Ct);
                return transaction.Connection!.Execute("INSERT INTO settings (name, value) VALUES ('a', 'b')", transaction: transaction);
            },
            Ct);
        sleeps.Wait(Ct);

        (await awake.WriteAsync(transaction => transaction.Connection!.ExecuteScalar<int>("SELECT 1", transaction: transaction), Ct)).ShouldBe(1);

        wakes.Set();
        (await write).ShouldBe(1);
        (await awake.ReadAsync(connection => connection.ExecuteScalar<long>("SELECT count(*) FROM settings"), Ct)).ShouldBe(1);
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_named()
    {
        await using var store = PostgresStore.Open(_server.ConnectionString.Replace("Database=postgres", "Database=nothing", StringComparison.Ordinal));

        (await Should.ThrowAsync<StoreException>(store.ListRunsAsync(Ct))).Message.ShouldContain("/nothing: make it");
    }
}
