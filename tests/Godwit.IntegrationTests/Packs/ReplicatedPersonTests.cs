using Godwit.ClickHouse;
using Godwit.Pack.PostHog;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>0005 after 0004, on the oldest server that Godwit works with and a real keeper: the table of persons is replicated by then.</summary>
public sealed class ReplicatedPersonTests(Replicated fixture, PersonSource persons) : IClassFixture<Replicated>, IClassFixture<PersonSource>
{
    private const string Person = "SELECT concat(properties, ' ', toString(version)) FROM posthog.person FINAL WHERE id LIKE '%{0}'";

    private static readonly string[] World =
    [
        .. PackCase.Schema("old-2018"),

        // The time says that the second row of the first person is the newer one; its version says that it is not.
        $"INSERT INTO posthog.person SELECT concat('00000000-0000-4000-8000-00000000000', toString(number)), toDateTime('2021-01-01 00:00:00'), 1, 'from kafka', 3, toDateTime('2021-01-02 00:00:00'), number FROM numbers(10)",
        "INSERT INTO posthog.person VALUES ('00000000-0000-4000-8000-000000000000', '2021-01-01 00:00:00', 1, 'late', 2, '2021-01-03 00:00:00', 77)",
    ];

    private ClickHouseGateway First => fixture.Servers.First;

    [Fact]
    public async Task The_highest_version_wins_and_the_new_table_is_replicated_too()
    {
        await using var c = await ReplicatedAsync();

        var run = await c.RunAsync(new PersonReplacingByVersion(), ("batchRows", "3"));

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await EngineAsync(c)).ShouldEndWith("'{replica}', version) ORDER BY (team_id, id) SETTINGS index_granularity = 8192");
        (await PersonAsync(c, "00")).ShouldBe("{\"from\": \"postgres\"} 5");
        (await PersonAsync(c, "01")).ShouldBe("from kafka 3");
        (await PersonAsync(c, "02")).ShouldBe("from kafka 3");
        (await PersonAsync(c, "ff")).ShouldBe("{} 1");
        await BringAsync(c, "newest", 6);
        (await PersonAsync(c, "00")).ShouldBe("newest 6");
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM posthog.person_backup_0005_person_replacing_by_version FINAL")).ShouldBe(10);
        (await c.RefusalAsync(new PersonReplacingByVersion())).ShouldContain("was completed by run");
    }

    [Fact]
    public async Task A_failure_at_the_end_is_rolled_back_and_it_can_be_run_again()
    {
        await using var c = await ReplicatedAsync();
        await c.FailAndRollBackAsync(new PersonReplacingByVersion());

        var run = await c.RunAsync(new PersonReplacingByVersion());

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await PersonAsync(c, "ff")).ShouldBe("{} 1");
    }

    [Fact]
    public async Task A_rollback_brings_back_what_came_since_and_leaves_behind_what_PostgreSQL_gave()
    {
        await using var c = await ReplicatedAsync();
        var run = await c.RunAsync(new PersonReplacingByVersion());
        await BringAsync(c, "newest", 6);

        var back = await c.RollbackAsync(new PersonReplacingByVersion(), run.RunId);

        back.State.ShouldBe(RunState.RolledBack, back.Problem);
        (await EngineAsync(c)).ShouldContain("'{replica}', _timestamp)");
        (await PersonAsync(c, "00")).ShouldBe("newest 6");
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM posthog.person FINAL")).ShouldBe(10);
        await BringAsync(c, "still newer", 7);
        (await PersonAsync(c, "00")).ShouldBe("still newer 7");
    }

    [Fact]
    public async Task Without_a_column_for_versions_one_is_added_and_taken_away_again()
    {
        await using var c = await ReplicatedAsync("DROP TABLE posthog.person_mv", "ALTER TABLE posthog.person DROP COLUMN version");

        await c.FailAndRollBackAsync(new PersonReplacingByVersion());
        var run = await c.RunAsync(new PersonReplacingByVersion());

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await PersonAsync(c, "01")).ShouldBe("{\"from\": \"postgres\"} 1");
    }

    [Fact]
    public async Task More_than_one_replica_is_refused()
    {
        await using var c = await ReplicatedAsync();
        var ddl = await c.AskAsync<string>("SELECT create_table_query FROM system.tables WHERE database = 'posthog' AND name = 'person'");
        await fixture.Servers.Second.ExecuteAsync("DROP DATABASE IF EXISTS posthog", ct: PackCase.Ct);
        await fixture.Servers.Second.ExecuteAsync("CREATE DATABASE posthog", ct: PackCase.Ct);
        await fixture.Servers.Second.ExecuteAsync(ddl, ct: PackCase.Ct);

        var refusal = await c.RefusalAsync(new PersonReplacingByVersion());
        await fixture.Servers.Second.ExecuteAsync("DROP DATABASE posthog", ct: PackCase.Ct);

        refusal.ShouldContain("posthog.person has 2 replicas");
    }

    private async Task<PackCase> ReplicatedAsync(params string[] before)
    {
        var c = await PackCase.NewAsync(First, [.. World, .. before]);
        c.PostgreSql = persons.Source;
        await persons.AddAsync();
        var run = await c.RunAsync(new ReplicatedSchema());
        run.State.ShouldBe(RunState.Completed, run.Problem);
        return c;
    }

    private static Task BringAsync(PackCase c, string properties, int version) => c.SqlAsync(
        $"INSERT INTO posthog.kafka_person (id, team_id, properties, version, _timestamp, _offset) VALUES ('00000000-0000-4000-8000-000000000000', 1, '{properties}', {version}, '2021-01-0{version} 00:00:00', {version})");

    private static Task<string> EngineAsync(PackCase c) => c.AskAsync<string>("SELECT engine_full FROM system.tables WHERE database = 'posthog' AND name = 'person'");

    private static Task<string> PersonAsync(PackCase c, string end) => c.AskAsync<string>(Person.Replace("{0}", end, StringComparison.Ordinal));
}
