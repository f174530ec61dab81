using Godwit.Cli;
using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Testing;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Testing;

/// <summary>Migrations that are as they should be pass; every way in which the kit disturbs them is gone.</summary>
[Collection(nameof(LabTests))]
public sealed class MigrationLabTests(LabFixture fixture, ITestOutputHelper output)
{
    private static readonly MigrationCheckup Events = new() { Setup = LabFixture.Events };

    [Fact]
    public async Task What_the_command_new_writes_is_a_good_migration()
    {
        using var folder = new TemporaryFolder();
        using var said = new StringWriter();
        var written = await CliApp.RunAsync(["migrations", "new", "0007_country", "--migrations", folder.Path], said, said, CliEnvironment.OfProcess(), Ct);
        written.ShouldBe(0, said.ToString());

        var report = await CheckAsync(MigrationLab.FromFile(Path.Combine(folder.Path, "0007_country.yaml")), Events);

        report.Moments.ShouldBeGreaterThan(5);
        report.MomentsOfRollback.ShouldBeGreaterThan(3);
    }

    [Fact]
    public async Task Code_that_goes_on_from_its_checkpoint_passes() =>
        await CheckAsync(new FillCountry(), Events with { Before = [MigrationLab.FromYaml(Country)], Parameters = new() { ["country"] = "NL" } });

    [Fact]
    public async Task Statements_before_and_after_a_rebuild_pass() => await CheckAsync(MigrationLab.FromYaml("""
        name: sorted
        description: Another key, and totals
        operations:
          - sql: CREATE TABLE IF NOT EXISTS app.names (team_id UInt32, name String) ENGINE = MergeTree ORDER BY team_id
            undo: DROP TABLE IF EXISTS app.names SYNC
          - rebuild: app.events
            orderBy: (team_id, event)
          - sql:
              - CREATE TABLE IF NOT EXISTS app.totals (team_id UInt32, n UInt64) ENGINE = MergeTree ORDER BY team_id
              - INSERT INTO app.totals SELECT team_id, count() FROM app.events GROUP BY team_id
            undo: DROP TABLE IF EXISTS app.totals SYNC
        """), Events with { MostMoments = 5 });

    [Fact]
    public async Task Every_kind_of_operation_passes() => await CheckAsync(MigrationLab.FromYaml(LabFixture.Operations), Events with { MostMoments = 4 });

    [Fact]
    public async Task From_what_cannot_be_undone_the_run_only_goes_on()
    {
        var report = await CheckAsync(MigrationLab.FromYaml("""
            name: short
            description: Old events go
            dependsOn: [0001_that_nobody_gave]
            versions: { from: 1.2.0, mustBeDoneBy: 2.0.0 }
            operations:
              - sql: ALTER TABLE app.events ADD COLUMN IF NOT EXISTS country String
                undo: ALTER TABLE app.events DROP COLUMN IF EXISTS country
              - sql: ALTER TABLE app.events DELETE WHERE id < 5 SETTINGS mutations_sync = 1
                irreversible: true
            """), Events with { AppVersion = "1.5.0" });

        report.MomentsOfRollback.ShouldBe(0);
    }

    [Fact]
    public async Task What_must_differ_can_be_ignored() => await CheckAsync(
        MigrationLab.FromYaml("""
            name: stamped
            description: Events know when they were moved, and under which number
            operations:
              - sql:
                  - CREATE TABLE IF NOT EXISTS app.moved (id UInt64, at DateTime64(6), number UUID) ENGINE = MergeTree ORDER BY id
                  - INSERT INTO app.moved SELECT id, now64(6), generateUUIDv4() FROM app.events
                  - CREATE TABLE IF NOT EXISTS app.noise ENGINE = Log AS SELECT generateUUIDv4() AS id
                undo: [DROP TABLE IF EXISTS app.moved SYNC, DROP TABLE IF EXISTS app.noise SYNC]
            """),
        Events with
        {
            Setup = LabFixture.Events[..2],
            Prepare = (clickHouse, ct) => clickHouse.ExecuteAsync(LabFixture.Events[2], ct: ct),
            Ignore = ["app.moved.at", "app.moved.number", "app.noise"],
        });

    [Fact]
    public async Task Each_process_can_have_a_migration_of_its_own()
    {
        var made = 0;
        await fixture.Lab.CheckAsync(
            () =>
            {
                made++;
                return MigrationLab.FromYaml(Country);
            },
            Events,
            Ct);
        made.ShouldBeGreaterThan(20);
    }

    private const string Country = """
        name: country
        description: Events get a country
        operations:
          - sql: ALTER TABLE app.events ADD COLUMN IF NOT EXISTS country LowCardinality(String)
            undo: ALTER TABLE app.events DROP COLUMN IF EXISTS country
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private async Task<CheckupReport> CheckAsync(Migration migration, MigrationCheckup checkup)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var report = await fixture.Lab.CheckAsync(migration, checkup, Ct);
        output.WriteLine($"{report} {clock.Elapsed.TotalSeconds:0.0} s");
        return report;
    }

    private sealed class FillCountry : Migration
    {
        public override string Name => "fill_country";

        public override string Description => "Old events get their country, day by day";

        public override IReadOnlyList<string> DependsOn => ["country"];

        public override IReadOnlyList<Parameter> Parameters => [new("country", ParameterType.Text) { Help = "The country of all old events." }];

        public override IReadOnlyList<MigrationCode> Code =>
            [new("fill", FillAsync) { UndoAsync = (context, ct) => UpdateAsync(context, "''", "1", ct) }];

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations(new CodeOperation("fill"));

        private static async Task FillAsync(CodeContext context, CancellationToken ct)
        {
            var country = Sql.Literal(context.Migration.Parameters.Get<string>("country"));
            for (var day = context.FindCheckpoint<int>(); day < 3; day++)
            {
                await context.PassBrakesAsync(ct);
                await UpdateAsync(context, country, $"day = toDate('2024-02-28') + {day}", ct);
                await context.CheckpointAsync(day + 1);
            }
        }

        private static Task UpdateAsync(CodeContext context, string value, string where, CancellationToken ct) =>
            context.ExecuteAsync($"ALTER TABLE app.events UPDATE country = {value} WHERE {where} SETTINGS mutations_sync = 1", ct: ct);
    }
}
