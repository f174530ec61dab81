using Godwit.IntegrationTests.Testing;
using Godwit.Pack.PostHog;
using Godwit.Runs;
using Godwit.Testing;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>0002: the new key, the old rows, no duplicates, and the old table kept.</summary>
public sealed class EventsSampleByTests(LabFixture fixture) : IClassFixture<LabFixture>
{
    private const string Insert = """
        INSERT INTO posthog.events (uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, _timestamp, _offset)
        SELECT toUUID(concat('00000000-0000-4000-8000-', leftPad(hex(number), 12, '0'))), if(number % 3 = 0, '$pageview', 'click'), '{"$session_id":"s1"}',
            toDateTime64(if(number < 500, '2019-01-05 00:00:00', '2026-11-01 00:00:00'), 6, 'UTC') + number, number % 4, concat('d', toString(number % 50)), '',
            toDateTime64('2026-11-02 00:00:00', 6, 'UTC'), toDateTime('2026-11-02 00:00:00', 'UTC'), number FROM numbers(1000)
        """;

    private static readonly string[] World = [.. PackCase.Old, Insert, Insert.Replace("numbers(1000)", "numbers(990, 10)", StringComparison.Ordinal)];

    [Fact]
    public async Task The_rows_of_all_years_have_the_new_key_once_each_and_the_old_table_is_kept()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);
        await c.SqlAsync("SYSTEM STOP MERGES posthog.events");

        var run = await c.RunAsync(new EventsSampleBy());

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await c.AskAsync<string>("SELECT concat(sorting_key, ' by ', sampling_key) FROM system.tables WHERE database = 'posthog' AND name = 'events'"))
            .ShouldBe("team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid) by cityHash64(distinct_id)");
        (await c.AskAsync<string>("SELECT concat(toString(count()), ' ', toString(uniqExact(uuid)), ' ', any(`$session_id`)) FROM posthog.events")).ShouldBe("1000 1000 s1");
        (await c.AskAsync<long>("SELECT count() FROM posthog.events_backup_0002_events_sample_by")).ShouldBe(1010);

        // The view writes to the new table.
        await c.SqlAsync("INSERT INTO posthog.kafka_events (uuid, team_id, timestamp) SELECT generateUUIDv4(), 1, now64()");
        (await c.AskAsync<long>("SELECT count() FROM posthog.events")).ShouldBe(1001);
        (await c.Knows().CleanUpAsync(run.RunId, ct: PackCase.Ct)).State.ShouldBe(RunState.Completed);
        (await c.AskAsync<long>("SELECT count() FROM posthog.events_backup_0002_events_sample_by")).ShouldBe(1010);
    }

    [Fact]
    public async Task Duplicates_stay_when_that_is_wanted_and_another_strategy_can_be_said()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);
        await c.SqlAsync("DROP TABLE posthog.events_mv SYNC", "SYSTEM STOP MERGES posthog.events");

        var run = await c.RunAsync(new EventsSampleBy(), ("strategy", "static"), ("deduplicate", "false"));

        run.State.ShouldBe(RunState.Completed, run.Problem);
        run.Steps.ShouldNotContain(s => s.Kind == "sql");
        run.Strategy.ShouldBe("static");
    }

    [Fact]
    public async Task A_failure_at_the_end_is_rolled_back()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);

        await c.FailAndRollBackAsync(new EventsSampleBy());
    }

    [Fact]
    public async Task What_is_left_of_an_earlier_attempt_is_told()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, [.. World, "CREATE TABLE posthog.events_failed (a UInt8) ENGINE = Memory"]);

        (await c.RefusalAsync(new EventsSampleBy())).ShouldContain("posthog.events_failed is left of an earlier attempt");
    }

    [Fact]
    public async Task Cut_off_anywhere_it_goes_on_or_back() => await fixture.Lab.CheckAsync(
        new EventsSampleBy(), new MigrationCheckup { Setup = World, MostMoments = 2, AppVersion = "1.33.0" }, PackCase.Ct);
}
