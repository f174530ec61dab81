using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Testing;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Testing;

/// <summary>What is wrong with a migration is found, and told with the moment at which it shows.</summary>
[Collection(nameof(LabTests))]
public sealed class MigrationFaultTests(LabFixture fixture)
{
    private static readonly MigrationCheckup Events = new() { Setup = LabFixture.Events };

    /// <summary>The operations of a migration in YAML, when the fault shows, and what is told.</summary>
    public static TheoryData<string, string, string, string> Faults => new()
    {
        {
            "the undo forgets something",
            """
              - sql: [ALTER TABLE app.events ADD COLUMN IF NOT EXISTS a UInt8, ALTER TABLE app.events ADD COLUMN IF NOT EXISTS b UInt8]
                undo: ALTER TABLE app.events DROP COLUMN IF EXISTS a
            """,
            "Rolled back after its end",
            "The world is not as it was before the migration.\napp.events is defined as\n  CREATE TABLE app.events (`id` UInt64, `team_id` UInt32, `day` Date, `event` String, `b` UInt8)"
        },
        {
            "the undo needs all of it to be done",
            """
              - sql: [ALTER TABLE app.events ADD COLUMN IF NOT EXISTS a UInt8, ALTER TABLE app.events ADD COLUMN IF NOT EXISTS b UInt8]
                undo: [ALTER TABLE app.events DROP COLUMN b, ALTER TABLE app.events DROP COLUMN IF EXISTS a]
            """,
            "Killed after the server had run ALTER TABLE app.events ADD COLUMN IF NOT EXISTS a UInt8, then rolled back",
            "The run is Failed rather than RolledBack."
        },
        {
            "an INSERT that is not repeatable says that it is",
            """
              - sql: CREATE TABLE IF NOT EXISTS app.totals (team_id UInt32, n UInt64) ENGINE = MergeTree ORDER BY team_id
                undo: DROP TABLE IF EXISTS app.totals SYNC
              - sql: INSERT INTO app.totals SELECT team_id, count() FROM app.events GROUP BY team_id
                repeatable: true
                undo: []
            """,
            "Killed after the server had run INSERT INTO app.totals SELECT team_id, count() FROM app.events GROUP BY team_id, which the server's log does not tell, then resumed",
            "The result is not that of the undisturbed run.\napp.totals has 4 rows rather than 2.\n  too many: [0, 5] [1, 5]"
        },
        {
            "an undo that is not repeatable says that it is",
            """
              - sql: ALTER TABLE app.events ADD COLUMN IF NOT EXISTS a UInt8
                undo: ALTER TABLE app.events DROP COLUMN a
                undoRepeatable: true
            """,
            "Killed during the rollback after the server had run ALTER TABLE app.events DROP COLUMN a, which the server's log does not tell, then gone on with it",
            "The run is Failed rather than RolledBack."
        },
        {
            "a function stays",
            """
              - sql: CREATE FUNCTION IF NOT EXISTS twice AS (x) -> x * 2
                undo: []
            """,
            "Rolled back after its end",
            "The function twice is there and should not be."
        },
        {
            "it does not run at all",
            """
              - sql: ALTER TABLE app.event ADD COLUMN a UInt8
                undo: []
            """,
            "Run undisturbed",
            "The run is Failed rather than Completed."
        },
        {
            "nothing is the same twice",
            """
              - sql:
                  - CREATE TABLE IF NOT EXISTS app.moved (id UInt64, number UUID, at DateTime64(6)) ENGINE = MergeTree ORDER BY id
                  - INSERT INTO app.moved SELECT id, generateUUIDv4(), now64(6) FROM app.events
                undo: DROP TABLE IF EXISTS app.moved SYNC
            """,
            "Run undisturbed a second time",
            "so that nothing can be compared. Ignore what must differ:\napp.moved has other values in number, at."
        },
        {
            "what it drops does not come back",
            """
              - sql: ALTER TABLE app.events DROP COLUMN event
                undo: ALTER TABLE app.events ADD COLUMN IF NOT EXISTS event String
            """,
            "Rolled back after its end",
            "The world is not as it was before the migration.\napp.events has other values in event.\n  too many: [0, 0, \"2024-02-28\", \"\"] [1, 1, "
        },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_fault_is_told_with_its_moment(string name, string operations, string when, string what)
    {
        var migration = MigrationLab.FromYaml($"name: m\ndescription: For a test\noperations:\n{operations}");

        var e = await Should.ThrowAsync<MigrationFaultException>(() => fixture.Lab.CheckAsync(migration, Events, Ct));

        var fault = e.Faults.FirstOrDefault(f => f.When == when).ShouldNotBeNull($"{name}:\n{e.Message}");
        fault.What.ShouldContain(what, Case.Sensitive, e.Message);
        e.Message.ShouldStartWith("m: ");
        e.Message.ShouldContain(when);
    }

    [Fact]
    public async Task Code_that_cannot_be_done_twice_is_found_between_its_work_and_its_checkpoint()
    {
        var e = await Should.ThrowAsync<MigrationFaultException>(() => fixture.Lab.CheckAsync(new Counting(), Events, Ct));

        e.Faults.ShouldContain(f => f.When == "Killed after the server had run INSERT INTO app.log VALUES (1), then resumed" && f.What.Contains("app.log has 3 rows rather than 2.\n  too many: [1]", StringComparison.Ordinal), e.Message);
        e.Faults.ShouldContain(f => f.When == "Lost the answer after the server had run INSERT INTO app.log VALUES (1)", e.Message);
        e.Faults.ShouldNotContain(f => f.When.Contains("checkpoint", StringComparison.Ordinal), e.Message);
    }

    [Fact]
    public async Task A_setup_that_is_not_the_same_twice_is_told()
    {
        var checkup = Events with { Setup = [.. LabFixture.Events, "CREATE TABLE app.noise ENGINE = Log AS SELECT generateUUIDv4() AS id"] };

        var e = await Should.ThrowAsync<MigrationFaultException>(() => fixture.Lab.CheckAsync(MigrationLab.FromYaml(Nothing), checkup, Ct));

        e.Message.ShouldContain("The setup does not make the same world twice.");
        e.Message.ShouldContain("app.noise has other values in id.");
    }

    [Fact]
    public async Task A_setup_that_the_server_refuses_is_told()
    {
        var e = await Should.ThrowAsync<MigrationFaultException>(() => fixture.Lab.CheckAsync(MigrationLab.FromYaml(Nothing), new MigrationCheckup { Setup = ["CREATE DATABASE a", "CREATE TABEL a.b"] }, Ct));

        e.Message.ShouldContain("statement 2 of the setup: CREATE TABEL a.b");
    }

    [Fact]
    public async Task A_check_that_refuses_is_told()
    {
        var e = await Should.ThrowAsync<MigrationFaultException>(() => fixture.Lab.CheckAsync(
            MigrationLab.FromYaml($"{Nothing}\nchecks: [{{ name: never, scope: precheck, sql: SELECT 0, otherwise: It is not the day for it. }}]"), Events, Ct));

        e.Message.ShouldContain("It is not the day for it.");
    }

    private const string Nothing = "name: m\ndescription: For a test\noperations: [{ sql: SELECT 1, undo: [] }]";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private sealed class Counting : Migration
    {
        public override string Name => "m";

        public override string Description => "Writes rows one by one, and does not look whether they are there";

        public override IReadOnlyList<MigrationCode> Code => [new("count", CountAsync) { UndoAsync = (context, ct) => context.ExecuteAsync("DROP TABLE IF EXISTS app.log SYNC", ct: ct) }];

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations(
            new SqlOperation("CREATE TABLE IF NOT EXISTS app.log (n UInt8) ENGINE = MergeTree ORDER BY n") { Undo = new SqlStatements([]) },
            new CodeOperation("count"));

        private static async Task CountAsync(CodeContext context, CancellationToken ct)
        {
            for (var n = context.FindCheckpoint<int>(); n < 2; n++)
            {
                await context.ExecuteAsync($"INSERT INTO app.log VALUES ({n})", ct: ct);
                await context.CheckpointAsync(n + 1);
            }
        }
    }
}
