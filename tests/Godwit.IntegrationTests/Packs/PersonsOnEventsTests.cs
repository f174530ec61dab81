using Godwit.IntegrationTests.Testing;
using Godwit.Pack.PostHog;
using Godwit.Runs;
using Godwit.Testing;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>0007: events get the persons and groups that they belong to, and only those that have none.</summary>
public sealed class PersonsOnEventsTests(LabFixture fixture) : IClassFixture<LabFixture>
{
    private const string Columns = """
        ALTER TABLE posthog.events ADD COLUMN person_id UUID, ADD COLUMN person_created_at DateTime64, ADD COLUMN person_properties String,
            ADD COLUMN group0_properties String, ADD COLUMN group1_properties String, ADD COLUMN group2_properties String, ADD COLUMN group3_properties String, ADD COLUMN group4_properties String,
            ADD COLUMN group0_created_at DateTime64, ADD COLUMN group1_created_at DateTime64, ADD COLUMN group2_created_at DateTime64, ADD COLUMN group3_created_at DateTime64, ADD COLUMN group4_created_at DateTime64
        """;

    private static readonly string[] World =
    [
        .. PackCase.Old.Where(s => !s.Contains("dead_letter", StringComparison.Ordinal) && !s.Contains("session_recording", StringComparison.Ordinal)),
        Columns,

        // Twenty persons with two ids each; the first one has an older version, the last one is deleted.
        $"INSERT INTO posthog.person (id, created_at, team_id, properties, is_deleted, version, _timestamp) SELECT {PackCase.Uuid("number")}, toDateTime('2021-01-01 00:00:00', 'UTC') + number, 1, concat('{{\"n\":', toString(number), '}}'), number = 19, 2, toDateTime('2021-06-01 00:00:00', 'UTC') FROM numbers(20)",
        $"INSERT INTO posthog.person (id, created_at, team_id, properties, is_deleted, version, _timestamp) SELECT {PackCase.Uuid("0")}, toDateTime('2021-01-01 00:00:00', 'UTC'), 1, 'old', 0, 1, toDateTime('2020-06-01 00:00:00', 'UTC')",
        $"INSERT INTO posthog.person_distinct_id2 (team_id, distinct_id, person_id, is_deleted, version) SELECT 1, concat('d', toString(number)), {PackCase.Uuid("number % 20")}, 0, 1 FROM numbers(40)",
        "INSERT INTO posthog.groups (group_type_index, group_key, created_at, team_id, group_properties, _timestamp) VALUES (0, 'acme', '2020-05-05 00:00:00', 1, '{\"name\":\"Acme\"}', '2021-01-01 00:00:00')",
        $"INSERT INTO posthog.events (uuid, event, properties, timestamp, team_id, distinct_id, _timestamp) SELECT {PackCase.Uuid("number")}, 'click', if(number % 2 = 0, '{{\"$group_0\":\"acme\"}}', '{{}}'), toDateTime64('2021-01-15 00:00:00', 6, 'UTC') + number * 86400, 1, concat('d', toString(number)), toDateTime('2021-06-01 00:00:00', 'UTC') FROM numbers(40)",

        // One that PostHog has written with its person, and one from before the bounds.
        $"INSERT INTO posthog.events (uuid, event, timestamp, team_id, distinct_id, person_id, person_properties, _timestamp) SELECT {PackCase.Uuid("100")}, 'new', toDateTime64('2021-02-15 00:00:00', 6, 'UTC'), 1, 'd1', {PackCase.Uuid("7")}, 'mine', toDateTime('2021-06-01 00:00:00', 'UTC')",
        $"INSERT INTO posthog.events (uuid, event, timestamp, team_id, distinct_id, _timestamp) SELECT {PackCase.Uuid("101")}, 'ancient', toDateTime64('2018-02-15 00:00:00', 6, 'UTC'), 1, 'd1', toDateTime('2021-06-01 00:00:00', 'UTC')",
    ];

    [Fact]
    public async Task Events_without_a_person_get_theirs_and_the_others_stay_as_they_are()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);

        var run = await c.RunAsync(new PersonsAndGroupsOnEvents());

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await EventAsync(c, "d0")).ShouldBe("00000000-0000-4000-8000-000000000000 {\"n\":0} 2021-01-01 00:00:00 {\"name\":\"Acme\"} 2020-05-05 00:00:00 {}");
        (await EventAsync(c, "d25")).ShouldBe("00000000-0000-4000-8000-000000000005 {\"n\":5} 2021-01-01 00:00:05 {} 1970-01-01 00:00:00 {}");
        (await c.AskAsync<string>("SELECT concat(toString(person_id), person_properties, group0_properties) FROM posthog.events WHERE event = 'new'")).ShouldBe("00000000-0000-4000-8000-000000000007mine");
        (await c.AskAsync<string>("SELECT concat(toString(person_id), person_properties) FROM posthog.events WHERE event = 'ancient'")).ShouldBe("00000000-0000-0000-0000-000000000000");

        // That of a person who is deleted stays empty, and none of the tables that it was done with is left.
        (await c.AskAsync<string>("SELECT any(person_properties) FROM posthog.events WHERE distinct_id = 'd39'")).ShouldBe("{}");
        (await c.Knows().CleanUpAsync(run.RunId, ct: PackCase.Ct)).State.ShouldBe(RunState.Completed);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM system.tables WHERE database = 'posthog' AND position(name, '0007') > 0")).ShouldBe(0);
    }

    [Fact]
    public async Task Bounds_and_a_team_say_which_events_are_filled()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);
        (await c.RefusalAsync(new PersonsAndGroupsOnEvents(), ("team", "2"))).ShouldContain("All events of posthog.events have a person");

        var run = await c.RunAsync(new PersonsAndGroupsOnEvents(), ("from", "2018-01-01T00:00:00Z"), ("to", "2021-01-20T00:00:00Z"), ("team", "1"), ("personCacheSize", "1000"));

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await c.AskAsync<string>("SELECT concat(toString(countIf(person_properties = '')), ' ', toString(max(timestamp) FILTER (WHERE person_properties LIKE '{%'))) FROM posthog.events WHERE event != 'new'"))
            .ShouldBe("35 2021-01-19 00:00:00.000000");
    }

    [Fact]
    public async Task Too_many_events_whose_person_nobody_knows_fail_the_check_at_the_end()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);
        await c.SqlAsync("INSERT INTO posthog.events (uuid, event, timestamp, team_id, distinct_id) SELECT generateUUIDv4(), 'lost', toDateTime64('2021-02-01 00:00:00', 6, 'UTC'), 1, 'nobody' FROM numbers(10)");

        var failed = await c.RunAsync(new PersonsAndGroupsOnEvents());

        failed.State.ShouldBe(RunState.Failed);
        failed.Problem!.ShouldContain("of the events of posthog.events have no person, and 1.00 % are accepted");
        await using var again = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);
        (await again.RunAsync(new PersonsAndGroupsOnEvents(), ("accepted", "0.5"))).State.ShouldBe(RunState.Completed);
    }

    [Fact]
    public async Task A_failure_at_the_end_is_rolled_back_and_keeps_what_PostHog_wrote_meanwhile()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);

        await c.FailAndRollBackAsync(new PersonsAndGroupsOnEvents());

        (await c.AskAsync<long>("SELECT count() FROM posthog.events WHERE person_properties = 'mine'")).ShouldBe(1);
    }

    [Fact]
    public async Task Cut_off_anywhere_it_goes_on_or_back() => await fixture.Lab.CheckAsync(
        new PersonsAndGroupsOnEvents(), new MigrationCheckup { Setup = World, MostMoments = 1, AppVersion = "1.40.0" }, PackCase.Ct);

    private static Task<string> EventAsync(PackCase c, string distinctId) => c.AskAsync<string>(
        $"SELECT concat(toString(person_id), ' ', person_properties, ' ', toString(toDateTime(person_created_at, 'UTC')), ' ', group0_properties, ' ', toString(toDateTime(group0_created_at, 'UTC')), ' ', group1_properties) FROM posthog.events WHERE distinct_id = '{distinctId}'");
}
