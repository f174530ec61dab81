using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Migrations;
using Godwit.Pack.PostHog;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>Sharded events: what is done is done on each shard, whichever of them has the rows.</summary>
public sealed class ShardedTests : IAsyncLifetime
{
    private static readonly string[] Tables =
    [
        .. PackCase.Fresh.Where(s => !s.Contains("posthog.events (", StringComparison.Ordinal)),
        PackCase.Fresh.Single(s => s.Contains("posthog.events (", StringComparison.Ordinal)).Replace("posthog.events (", "posthog.sharded_events (", StringComparison.Ordinal)
            .Replace(",\n    INDEX kafka_timestamp_minmax_events _timestamp TYPE minmax GRANULARITY 3", "", StringComparison.Ordinal),
        "CREATE TABLE posthog.events AS posthog.sharded_events ENGINE = Distributed('pair', 'posthog', 'sharded_events')",
        "INSERT INTO posthog.person (id, team_id, properties, version) VALUES ('00000000-0000-4000-8000-000000000001', 1, 'p', 1)",
        "INSERT INTO posthog.person_distinct_id2 (team_id, distinct_id, person_id) VALUES (1, 'd', '00000000-0000-4000-8000-000000000001')",
    ];

    private IReadOnlyList<EngineFixture> _engines = [];
    private List<ClickHouseGateway> _gateways = [];

    public async ValueTask InitializeAsync()
    {
        _engines = await EngineFixture.StartClusterAsync("pair", 2);
        _gateways = _engines.Select(e => e.Gateway()).ToList();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in _gateways)
        {
            gateway.Dispose();
        }

        foreach (var engine in _engines)
        {
            await engine.DisposeAsync();
        }
    }

    [Fact]
    public async Task Rows_of_a_shard_that_Godwit_was_not_given_are_found_and_changed_there()
    {
        await using var c = await PackCase.NewAsync(_gateways[0], [.. Tables, "INSERT INTO posthog.sharded_events (uuid, timestamp, team_id, distinct_id) VALUES (generateUUIDv4(), '2024-01-01 00:00:00', 1, 'd')"]);
        c.Cluster = new ClusterOptions("pair") { Nodes = _engines.Select(e => $"{e.Url.Host}:{e.Url.Port}").ToList() };
        foreach (var statement in Tables.Append("INSERT INTO posthog.sharded_events (uuid, timestamp, team_id, distinct_id) SELECT generateUUIDv4(), toDateTime64(['2025-06-01 00:00:00', '1985-04-01 00:00:00'][number + 1], 6, 'UTC'), 1, 'd' FROM numbers(2)"))
        {
            await _gateways[1].ExecuteAsync(statement, ct: PackCase.Ct);
        }

        foreach (var migration in new Migration[] { new PersonsAndGroupsOnEvents(), new SpeedUpKafkaTimestampFilters(), new MoveOldPartitions(), new DropProjection() })
        {
            var run = await c.RunAsync(migration);
            run.State.ShouldBe(RunState.Completed, $"{migration.Name}: {run.Problem}");
        }

        foreach (var gateway in _gateways)
        {
            (await gateway.ScalarAsync<string>("SELECT groupUniqArray(person_properties)[1] FROM posthog.sharded_events", ct: PackCase.Ct)).ShouldBe("p");
            (await gateway.ScalarAsync<string>("SELECT create_table_query FROM system.tables WHERE database = 'posthog' AND name = 'sharded_events'", ct: PackCase.Ct))
                .ShouldSatisfyAllConditions(ddl => ddl.ShouldContain("INDEX kafka_timestamp_minmax_sharded_events"), ddl => ddl.ShouldNotContain("fast_max_kafka_timestamp"));
        }

        (await c.AskAsync<string>("SELECT arrayStringConcat(arraySort(groupUniqArray(toString(toYear(timestamp)))), ' ') FROM posthog.events")).ShouldBe("2024 2025");
        (await _gateways[1].ScalarAsync<long>("SELECT toInt64(count()) FROM posthog.events_backup_0010_move_old_partitions", ct: PackCase.Ct)).ShouldBe(1);
    }
}
