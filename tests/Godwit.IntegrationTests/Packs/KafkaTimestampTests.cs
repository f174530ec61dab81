using Godwit.IntegrationTests.Testing;
using Godwit.Migrations;
using Godwit.Pack.PostHog;
using Godwit.Runs;
using Godwit.Testing;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>0008 and 0011: projections and indexes come, and a projection goes again.</summary>
public sealed class KafkaTimestampTests(LabFixture fixture) : IClassFixture<LabFixture>
{
    private static readonly string[] World =
    [
        .. PackCase.Old,
        "INSERT INTO posthog.events (uuid, team_id, timestamp, _timestamp) SELECT toUUID('00000000-0000-4000-8000-000000000001'), 1, toDateTime64('2024-01-01 00:00:00', 6, 'UTC'), toDateTime('2024-01-01 00:00:00', 'UTC')",
        "INSERT INTO posthog.person (id, team_id) VALUES ('00000000-0000-4000-8000-000000000001', 1)",
    ];

    [Fact]
    public async Task Tables_with_rows_get_projections_and_indexes_that_cover_old_rows_too()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);

        var run = await c.RunAsync(new SpeedUpKafkaTimestampFilters());

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await c.AskAsync<string>("SELECT arrayStringConcat(arraySort(groupUniqArray(table)), ' ') FROM system.projection_parts WHERE database = 'posthog' AND active AND name LIKE 'fast_max%'")).ShouldBe("events person");
        (await c.AskAsync<string>("SELECT arrayStringConcat(arraySort(groupArray(name)), ' ') FROM system.data_skipping_indices WHERE database = 'posthog'"))
            .ShouldBe("kafka_timestamp_minmax_events kafka_timestamp_minmax_events_dead_letter_queue");
        (await c.AskAsync<long>("SELECT toInt64(min(secondary_indices_compressed_bytes)) FROM system.parts WHERE database = 'posthog' AND table = 'events' AND active")).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_failure_at_the_end_is_rolled_back()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);
        await c.FailAndRollBackAsync(new SpeedUpKafkaTimestampFilters());
        (await c.RunAsync(new SpeedUpKafkaTimestampFilters())).State.ShouldBe(RunState.Completed);

        await c.FailAndRollBackAsync(new DropProjection());
    }

    [Fact]
    public async Task The_projection_of_events_goes_and_comes_back_with_its_rows()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);
        (await c.RunAsync(new SpeedUpKafkaTimestampFilters())).State.ShouldBe(RunState.Completed);
        var before = await ProjectionsAsync(c);
        before.ShouldContain("events:1");

        var run = await c.RunAsync(new DropProjection());

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await ProjectionsAsync(c)).ShouldNotContain("events:1");
        var back = await c.Knows().RollbackAsync(run.RunId, ct: PackCase.Ct);
        back.State.ShouldBe(RunState.RolledBack, back.Problem);
        (await ProjectionsAsync(c)).ShouldBe(before);
    }

    [Fact]
    public async Task Cut_off_anywhere_both_go_on_or_back()
    {
        // Fewer tables make fewer steps.
        var setup = World.Where(s => s.Contains("DATABASE", StringComparison.Ordinal) || s.Contains("posthog.events (", StringComparison.Ordinal)).ToList();
        var checkup = new MigrationCheckup { Setup = setup, MostMoments = 3, AppVersion = "1.43.0" };
        await fixture.Lab.CheckAsync(new SpeedUpKafkaTimestampFilters(), checkup, PackCase.Ct);
        await fixture.Lab.CheckAsync(new DropProjection(), checkup with { Before = [new SpeedUpKafkaTimestampFilters()] }, PackCase.Ct);
    }

    private static Task<string> ProjectionsAsync(PackCase c) => c.AskAsync<string>(
        "SELECT arrayStringConcat(arraySort(groupArray(concat(table, ':', toString(n)))), ' ') FROM (SELECT table, count() AS n FROM system.projection_parts WHERE database = 'posthog' AND active GROUP BY table)");
}
