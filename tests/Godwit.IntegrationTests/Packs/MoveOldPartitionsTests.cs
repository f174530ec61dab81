using Godwit.IntegrationTests.Testing;
using Godwit.Pack.PostHog;
using Godwit.Runs;
using Godwit.Testing;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>0010: months that cannot be true go to a backup table.</summary>
public sealed class MoveOldPartitionsTests(LabFixture fixture) : IClassFixture<LabFixture>
{
    private static readonly string[] World =
    [
        .. PackCase.Old.Where(s => s.Contains("DATABASE", StringComparison.Ordinal) || s.Contains("posthog.events (", StringComparison.Ordinal)),
        "INSERT INTO posthog.events (uuid, timestamp, team_id, distinct_id, _timestamp) SELECT toUUID(concat('00000000-0000-4000-8000-', leftPad(hex(number), 12, '0'))), toDateTime64(['1985-04-01 00:00:00', '2019-01-01 00:00:00', '2024-01-01 00:00:00', '2150-06-01 00:00:00'][number % 4 + 1], 6, 'UTC'), 1, 'd', toDateTime('2024-01-01 00:00:00', 'UTC') FROM numbers(40)",
    ];

    [Theory]
    [InlineData("", "198504 215006", "201901 202401")]
    [InlineData("oldest=202001", "198504 201901 215006", "202401")]
    [InlineData("oldest=197001 newest=201912 optimize=true", "202401 215006", "198504 201901")]
    public async Task Months_outside_of_the_bounds_move(string parameters, string moved, string stay)
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);

        var run = await c.RunAsync(new MoveOldPartitions(), [.. parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(p => (p.Split('=')[0], p.Split('=')[1]))]);

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await MonthsAsync(c, "events_backup_0010_move_old_partitions")).ShouldBe(moved);
        (await MonthsAsync(c, "events")).ShouldBe(stay);
        run.Steps.Any(s => s.Description.StartsWith("OPTIMIZE", StringComparison.Ordinal)).ShouldBe(parameters.Contains("optimize", StringComparison.Ordinal));
    }

    [Fact]
    public async Task With_all_months_within_the_bounds_it_is_not_required()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);

        (await c.RefusalAsync(new MoveOldPartitions(), ("oldest", "198001"), ("newest", "220001"))).ShouldContain("has no rows in months that are too old or too new");
    }

    [Fact]
    public async Task A_failure_at_the_end_is_rolled_back()
    {
        await using var c = await PackCase.NewAsync(fixture.Lab.ClickHouse, World);

        await c.FailAndRollBackAsync(new MoveOldPartitions());
    }

    [Fact]
    public async Task Cut_off_anywhere_it_goes_on_or_back() => await fixture.Lab.CheckAsync(
        new MoveOldPartitions(), new MigrationCheckup { Setup = World, MostMoments = 4, AppVersion = "1.43.0" }, PackCase.Ct);

    private static Task<string> MonthsAsync(PackCase c, string table) => c.AskAsync<string>(
        $"SELECT arrayStringConcat(arraySort(groupUniqArray(partition_id)), ' ') FROM system.parts WHERE database = 'posthog' AND table = '{table}' AND active AND rows > 0");
}
