using Godwit.Fixtures;
using Godwit.IntegrationTests.Testing;
using Godwit.Migrations;
using Godwit.Pack.PostHog;
using Godwit.Runs;
using Godwit.Testing;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>0003: distinct ids in a table that has each of them once.</summary>
public sealed class FillDistinctIdsTests(LabFixture fixture) : IClassFixture<LabFixture>
{
    private static readonly string[] World =
    [
        .. PackCase.Old.Where(s => s.Contains("DATABASE", StringComparison.Ordinal) || s.Contains("person_distinct_id", StringComparison.Ordinal) || s.Contains("posthog.events (", StringComparison.Ordinal)),

        // Three teams; d0 has gone over to another person, d1 is deleted.
        $"INSERT INTO posthog.person_distinct_id (distinct_id, person_id, team_id, _sign, _timestamp) SELECT concat('d', toString(number)), {PackCase.Uuid("number")}, number % 3, 1, toDateTime('2021-01-01 00:00:00', 'UTC') FROM numbers(30)",
        $"INSERT INTO posthog.person_distinct_id (distinct_id, person_id, team_id, _sign, _timestamp) SELECT 'd0', {PackCase.Uuid("77")}, 0, 1, toDateTime('2021-02-01 00:00:00', 'UTC')",
        $"INSERT INTO posthog.person_distinct_id (distinct_id, person_id, team_id, _sign, _timestamp) SELECT 'd1', {PackCase.Uuid("1")}, 1, -1, toDateTime('2021-02-01 00:00:00', 'UTC')",

        // PostHog writes to both tables by now.
        $"INSERT INTO posthog.person_distinct_id2 (team_id, distinct_id, person_id, is_deleted, version, _timestamp) SELECT 2, 'd2', {PackCase.Uuid("88")}, 0, 1, toDateTime('2021-03-01 00:00:00', 'UTC')",
    ];

    [Fact]
    public async Task Each_distinct_id_has_its_newest_person_and_what_PostHog_wrote_wins()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);

        var run = await c.RunAsync(new FillPersonDistinctId2());

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await PersonsAsync(c, "'d0', 'd1', 'd2', 'd3'")).ShouldBe("d0:00000000004d d2:000000000058 d3:000000000003");
        (await c.AskAsync<long>("SELECT count() FROM posthog.person_distinct_id2 FINAL")).ShouldBe(29);
        (await c.RollbackAsync(new FillPersonDistinctId2(), run.RunId)).State.ShouldBe(RunState.RolledBack);
        (await c.AskAsync<long>("SELECT count() FROM posthog.person_distinct_id2 FINAL")).ShouldBe(1);
    }

    [Fact]
    public async Task A_comment_says_that_it_is_not_needed()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);
        await c.SqlAsync("ALTER TABLE posthog.person_distinct_id2 MODIFY COMMENT 'skip_0003_fill_person_distinct_id2'");
        (await c.RefusalAsync(new FillPersonDistinctId2())).ShouldContain("A comment on posthog.person_distinct_id2 says");
    }

    [Fact]
    public async Task A_failure_at_the_end_is_rolled_back()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);

        await c.FailAndRollBackAsync(new FillPersonDistinctId2());
    }

    [Fact]
    public async Task Cut_off_anywhere_it_goes_on_or_back() => await fixture.Lab.CheckAsync(
        new FillPersonDistinctId2(), new MigrationCheckup { Setup = World, MostMoments = 5, AppVersion = "1.33.0" }, PackCase.Ct);

    private static Task<string> PersonsAsync(PackCase c, string ids) => c.AskAsync<string>(
        $"SELECT arrayStringConcat(arraySort(groupArray(concat(distinct_id, ':', substring(toString(person_id), 25)))), ' ') FROM posthog.person_distinct_id2 FINAL WHERE distinct_id IN ({ids})");
}

/// <summary>0005: the highest version of a person wins, and PostgreSQL knows it.</summary>
public sealed class PersonVersionTests(LabFixture fixture) : IClassFixture<LabFixture>, IAsyncLifetime
{
    private static readonly string[] World =
    [
        .. PackCase.Old.Where(s => s.Contains("DATABASE", StringComparison.Ordinal) || s.Contains("person ", StringComparison.Ordinal) || s.Contains("person_mv", StringComparison.Ordinal) || s.Contains("posthog.events (", StringComparison.Ordinal)),

        // The time says that the second row of the first person is the newer one; its version says that it is not.
        "INSERT INTO posthog.person (id, created_at, team_id, properties, version, _timestamp) SELECT toUUID(concat('00000000-0000-4000-8000-', leftPad(hex(number), 12, '0'))), toDateTime('2021-01-01 00:00:00', 'UTC'), 1, 'from kafka', 3, toDateTime('2021-01-02 00:00:00', 'UTC') FROM numbers(10)",
        "INSERT INTO posthog.person (id, created_at, team_id, properties, version, _timestamp) SELECT toUUID('00000000-0000-4000-8000-000000000000'), toDateTime('2021-01-01 00:00:00', 'UTC'), 1, 'late', 2, toDateTime('2021-01-03 00:00:00', 'UTC')",
    ];

    private readonly PersonSource _persons = new();

    public ValueTask InitializeAsync() => _persons.InitializeAsync();

    public ValueTask DisposeAsync() => _persons.DisposeAsync();

    [Fact]
    public async Task The_highest_version_wins_whatever_came_last_and_persons_of_PostgreSQL_are_there()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);
        c.PostgreSql = _persons.Source;
        await c.SqlAsync("SYSTEM STOP MERGES posthog.person");
        await _persons.AddAsync();

        var run = await c.RunAsync(new PersonReplacingByVersion(), ("batchRows", "3"));

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await c.AskAsync<string>("SELECT engine_full FROM system.tables WHERE database = 'posthog' AND name = 'person'")).ShouldStartWith("ReplacingMergeTree(version) ORDER BY (team_id, id)");
        (await PersonAsync(c, "00")).ShouldBe("{\"from\": \"postgres\"} 5");
        (await PersonAsync(c, "01")).ShouldBe("from kafka 3");
        (await PersonAsync(c, "02")).ShouldBe("from kafka 3");
        (await PersonAsync(c, "ff")).ShouldBe("{} 1");

        // The view goes on with the new table.
        await c.SqlAsync("INSERT INTO posthog.kafka_person (id, team_id, properties, version) VALUES ('00000000-0000-4000-8000-000000000000', 1, 'newest', 6)");
        (await PersonAsync(c, "00")).ShouldBe("newest 6");
        (await c.Knows().CleanUpAsync(run.RunId, ct: PackCase.Ct)).State.ShouldBe(RunState.Completed);
        (await c.AskAsync<string>("SELECT arrayStringConcat(arraySort(groupArray(name)), ' ') FROM system.tables WHERE database = 'posthog' AND engine LIKE '%MergeTree' AND name LIKE '%person%'"))
            .ShouldBe("person person_backup_0005_person_replacing_by_version");
    }

    [Fact]
    public async Task Without_PostgreSQL_it_is_refused_and_with_the_new_engine_not_required()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);
        (await c.RefusalAsync(new PersonReplacingByVersion())).ShouldContain("PostgreSql");
        await c.SqlAsync("DROP TABLE posthog.person SYNC", "CREATE TABLE posthog.person (id UUID, team_id Int64, version UInt64) ENGINE = ReplacingMergeTree(version) ORDER BY (team_id, id)");
        (await c.RefusalAsync(new PersonReplacingByVersion())).ShouldContain("has the engine ReplacingMergeTree(version) already");
    }

    [Fact]
    public async Task A_failure_at_the_end_is_rolled_back()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);
        c.PostgreSql = _persons.Source;

        await c.FailAndRollBackAsync(new PersonReplacingByVersion());
    }

    [Fact]
    public async Task Cut_off_anywhere_it_goes_on_or_back() => await fixture.Lab.CheckAsync(
        new PersonReplacingByVersion(), new MigrationCheckup { Setup = World, MostMoments = 2, AppVersion = "1.38.0", PostgreSql = _persons.Source }, PackCase.Ct);

    private static Task<string> PersonAsync(PackCase c, string end) => c.AskAsync<string>(
        $"SELECT concat(properties, ' ', toString(version)) FROM posthog.person FINAL WHERE endsWith(toString(id), '{end}')");
}
