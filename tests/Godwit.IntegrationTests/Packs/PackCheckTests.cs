using Godwit.Checks;
using Godwit.IntegrationTests.Inspection;
using Godwit.Migrations;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>What the migrations of the pack ask before they begin, and of the disk again while they run.</summary>
public sealed class PackCheckTests(LoggedEngine server) : IClassFixture<LoggedEngine>
{
    private const string Free = "sum(least(free_space, 4000000000000000000))";

    // Each of them has something to do here.
    private static readonly string[] World =
    [
        .. PackCase.Old,
        "ALTER TABLE posthog.events ADD COLUMN person_id UUID, ADD COLUMN person_properties String",
        "INSERT INTO posthog.events (uuid, team_id, timestamp) VALUES ('00000000-0000-4000-8000-000000000001', 1, '1985-01-01 00:00:00'), ('00000000-0000-4000-8000-000000000002', 1, '2021-01-01 00:00:00')",
        "INSERT INTO posthog.person (id, team_id) VALUES ('00000000-0000-4000-8000-000000000001', 1)",
        "INSERT INTO posthog.person_distinct_id (distinct_id, team_id) VALUES ('d', 1)",
    ];

    [Theory]
    [InlineData("0002_events_sample_by", "events_backup_0002_events_sample_by", "is left of an earlier attempt")]
    [InlineData("0005_person_replacing_by_version", "person_backup_0005_person_replacing_by_version", "is left of an earlier attempt")]
    [InlineData("0007_persons_and_groups_on_events_backfill", "tmp_person_0007", "is left of an earlier attempt")]
    [InlineData("0007_persons_and_groups_on_events_backfill", "groups_0007_dict", "is left of an earlier attempt")]
    [InlineData("0010_move_old_partitions", "events_backup_0010_move_old_partitions", "is there already")]
    public async Task A_table_in_the_way_is_told_before_anything_is_done(string migration, string table, string what)
    {
        using var gateway = server.Engine.Gateway();
        await using var c = await PackCase.NewAsync(gateway, [.. World, $"CREATE TABLE posthog.{table} (a UInt8) ENGINE = Memory"]);

        (await c.RefusalAsync(Find(migration))).ShouldContain($"posthog.{table} {what}");
    }

    [Theory]
    [InlineData("0002_events_sample_by", "1.5 times posthog.events")]
    [InlineData("0003_fill_person_distinct_id2", "1.0 times posthog.person_distinct_id")]
    [InlineData("0005_person_replacing_by_version", "2.0 times posthog.person")]
    [InlineData("0007_persons_and_groups_on_events_backfill", "2.0 times posthog.events")]
    public async Task A_disk_that_is_too_small_for_what_it_makes_is_told(string migration, string needed)
    {
        using var network = new Rewriter(Free, "1");
        using var gateway = server.Engine.Gateway(network);
        await using var c = await PackCase.NewAsync(gateway, World);

        (await c.RefusalAsync(Find(migration))).ShouldContain($" are needed, {needed}: free space, or add a disk to its storage policy.");
    }

    [Theory]
    [InlineData("0002_events_sample_by", "events")]
    [InlineData("0003_fill_person_distinct_id2", "person_distinct_id2")]
    [InlineData("0005_person_replacing_by_version", "person")]
    [InlineData("0007_persons_and_groups_on_events_backfill", "events")]
    [InlineData("0008_speed_up_kafka_timestamp_filters", "events")]
    public async Task A_disk_that_is_nearly_full_stops_it(string migration, string table)
    {
        using var network = new Rewriter(Free, "99999999");
        using var gateway = server.Engine.Gateway(network);
        await using var c = await PackCase.NewAsync(gateway, World);

        (await HealthAsync(c, migration)).ShouldBe(CheckAnswer.Refuse($"Only 99 MB are free on the disks of posthog.{table}. Free space, then `resume`; `rollback` gives back what the run has taken."));
    }

    [Fact]
    public async Task A_table_whose_name_is_away_for_a_moment_stops_nothing()
    {
        using var gateway = server.Engine.Gateway();
        await using var c = await PackCase.NewAsync(gateway, World);
        await c.SqlAsync("RENAME TABLE posthog.person_distinct_id2 TO posthog.on_its_way");

        (await HealthAsync(c, "0003_fill_person_distinct_id2")).Verdict.ShouldBe(CheckVerdict.Ok);
    }

    private static Migration Find(string name) => MigrationLoader.Load(MigrationPack.Find("posthog")).Find(name)!;

    /// <summary>What the healthcheck of a migration says of the disk.</summary>
    private static Task<CheckAnswer> HealthAsync(PackCase c, string name)
    {
        var migration = Find(name);
        var defaults = ParameterValues.Read(migration.Parameters, new Dictionary<string, string>(StringComparer.Ordinal)).Values!;
        return migration.Checks.Single(k => (k.Name, k.Scope) == ("free-disk", CheckScope.Healthcheck)).AskAsync(new MigrationContext(c.Gateway, null, defaults, null), PackCase.Ct);
    }

    /// <summary>Replaces a piece of each statement, so that the server says something else.</summary>
    private sealed class Rewriter(string what, string by) : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Content is { } content)
            {
                request.Content = new StringContent((await content.ReadAsStringAsync(cancellationToken)).Replace(what, by, StringComparison.Ordinal));
            }

            return await base.SendAsync(request, cancellationToken);
        }
    }
}
