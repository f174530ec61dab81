using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Migrations;
using Godwit.Pack.PostHog;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>What the pack as a whole finds on a server.</summary>
public sealed class PostHogPackTests : IAsyncLifetime
{
    // The tables of PostHog are looked for in all databases, so the server is not shared.
    private EngineFixture _engine = null!;
    private ClickHouseGateway _gateway = null!;

    private static MigrationSet Pack => MigrationLoader.Load(MigrationPack.Find("posthog"));

    public async ValueTask InitializeAsync()
    {
        _engine = await EngineFixture.StartAsync();
        _gateway = _engine.Gateway();
    }

    public async ValueTask DisposeAsync()
    {
        _gateway.Dispose();
        await _engine.DisposeAsync();
    }

    /// <summary>Each migration, the versions of PostHog that it belongs to, and what must be done before it.</summary>
    public static TheoryData<string, string?, string?, string?> Windows => new()
    {
        { "0001_events_sample_by", null, null, null },
        { "0002_events_sample_by", "1.33.0", "1.34.0", "0001_events_sample_by" },
        { "0003_fill_person_distinct_id2", "1.33.0", "1.34.0", "0002_events_sample_by" },
        { "0004_replicated_schema", null, null, "0003_fill_person_distinct_id2" },
        { "0005_person_replacing_by_version", "1.38.0", "1.42.0", "0004_replicated_schema" },
        { "0007_persons_and_groups_on_events_backfill", "1.40.0", "1.42.0", "0005_person_replacing_by_version" },
        { "0008_speed_up_kafka_timestamp_filters", "1.42.0", "1.46.0", "0007_persons_and_groups_on_events_backfill" },
        { "0010_move_old_partitions", "1.43.0", "1.50.0", "0008_speed_up_kafka_timestamp_filters" },
        { "0011_drop_projection", "1.43.0", "1.50.0", "0010_move_old_partitions" },
    };

    [Theory]
    [MemberData(nameof(Windows))]
    public void Each_has_its_window_and_comes_after_the_one_before(string name, string? from, string? before, string? after)
    {
        var migration = Pack.Find(name).ShouldNotBeNull();

        (migration.Versions?.From?.ToString(), migration.Versions?.MustBeDoneBy?.ToString(), migration.DependsOn.SingleOrDefault()).ShouldBe((from, before, after));
    }

    [Fact]
    public async Task A_new_installation_needs_none_of_them()
    {
        await using var c = await PackCase.NewAsync(_gateway, PackCase.Fresh);

        var list = await ListAsync(c);

        list.Count.ShouldBe(Windows.Count);
        list.ShouldAllBe(m => m.State == RunState.NotRequired, string.Join('\n', list.Select(m => $"{m.Name} {m.State} {m.Why}")));
    }

    [Fact]
    public async Task Without_tables_of_PostHog_none_is_needed()
    {
        await using var c = await PackCase.NewAsync(_gateway, "CREATE DATABASE posthog", "CREATE TABLE posthog.events (id UInt64) ENGINE = MergeTree ORDER BY id");

        (await ListAsync(c)).ShouldAllBe(m => m.State == RunState.NotRequired);
    }

    [Fact]
    public async Task The_old_schema_needs_what_it_lacks()
    {
        await using var c = await PackCase.NewAsync(_gateway, PackCase.Old);

        var states = (await ListAsync(c)).ToDictionary(m => m.Name, m => m.State, StringComparer.Ordinal);

        states["0001_events_sample_by"].ShouldBe(RunState.NotRequired);
        states["0002_events_sample_by"].ShouldBe(RunState.NotStarted);
        states["0003_fill_person_distinct_id2"].ShouldBe(RunState.NotStarted);
        states["0005_person_replacing_by_version"].ShouldBe(RunState.NotStarted);
        states["0007_persons_and_groups_on_events_backfill"].ShouldBe(RunState.NotRequired);
        states["0008_speed_up_kafka_timestamp_filters"].ShouldBe(RunState.NotStarted);
        states["0011_drop_projection"].ShouldBe(RunState.NotRequired);
    }

    [Fact]
    public async Task Sharded_events_have_the_new_key_from_their_first_day()
    {
        await using var c = await PackCase.NewAsync(_gateway, PackCase.Old);
        await c.SqlAsync("DROP TABLE posthog.events_mv SYNC", "RENAME TABLE posthog.events TO posthog.sharded_events", "CREATE TABLE posthog.events AS posthog.sharded_events ENGINE = Distributed('alone', 'posthog', 'sharded_events')");

        var list = await ListAsync(c);

        list.Single(m => m.Name == "0002_events_sample_by").Why!.ShouldContain("Distributed");
        list.Single(m => m.Name == "0008_speed_up_kafka_timestamp_filters").Why!.ShouldContain("posthog.sharded_events has no index");
    }

    [Fact]
    public async Task Two_databases_with_tables_of_PostHog_are_told_apart_by_a_parameter()
    {
        await using var c = await PackCase.NewAsync(_gateway, PackCase.Fresh);
        await c.SqlAsync("CREATE DATABASE other ENGINE = Atomic", "CREATE TABLE other.events AS posthog.events");
        try
        {
            (await ListAsync(c)).Single(m => m.Name == "0002_events_sample_by").Why!.ShouldContain("other and posthog have tables of PostHog: say which is meant with --set database=NAME.");
            (await c.RefusalAsync(new EventsSampleBy(), ("database", "other"))).ShouldContain("other.events is sorted by");
            (await c.RefusalAsync(new EventsSampleBy(), ("database", "othr"))).ShouldContain("othr has no table events with PostHog's columns");
        }
        finally
        {
            await c.SqlAsync("DROP DATABASE other SYNC");
        }
    }

    private static Task<IReadOnlyList<MigrationOverview>> ListAsync(PackCase c) =>
        c.Knows(new MigratorOptions { Migrations = Pack }).MigrationsAsync(PackCase.Ct);
}
