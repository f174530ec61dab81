using System.Runtime.CompilerServices;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Testing;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Testing;

/// <summary>What migrations say to the server is the approved text, on every machine and every day.</summary>
[Collection(nameof(LabTests))]
public sealed class ConversationTests(LabFixture fixture)
{
    private static readonly string[] Orders =
    [
        "CREATE DATABASE shop",
        "CREATE TABLE shop.orders (id UInt64, customer UInt32, at DateTime('UTC'), amount Decimal(12, 2)) ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY id",
        "INSERT INTO shop.orders SELECT number, number % 3, toDateTime('2024-02-28 12:00:00', 'UTC') + number * 86400, number FROM numbers(3)",
    ];

    private const string Totals = """
        name: totals
        description: Totals for each day
        parameters:
          since: { type: timestamp, default: "2024-02-29T00:00:00Z" }
        operations:
          - sql:
              - CREATE TABLE IF NOT EXISTS app.totals (day Date, n UInt64) ENGINE = SummingMergeTree ORDER BY day
              - INSERT INTO app.totals SELECT day, 1 FROM app.events WHERE day >= toDateTime(${since})
            settings: { max_threads: 2 }
            undo: DROP TABLE IF EXISTS app.totals SYNC
        """;

    /// <summary>The approved text's name, the migration, and the world that it finds.</summary>
    private static readonly Dictionary<string, (Func<Migration> Migration, MigrationCheckup Checkup)> Approved = new(StringComparer.Ordinal)
    {
        ["sql"] = (() => MigrationLab.FromYaml(Totals), new MigrationCheckup { Setup = LabFixture.Events }),
        ["operations"] = (() => MigrationLab.FromYaml(LabFixture.Operations), new MigrationCheckup { Setup = LabFixture.Events }),
        ["0001_orders"] = (() => Sample("0001_orders"), new MigrationCheckup()),
        ["0002_daily"] = (() => Sample("0002_daily"), new MigrationCheckup { Setup = Orders, Parameters = { ["days"] = "3650" } }),
        ["0003_by_customer"] = (() => Sample("0003_by_customer"), new MigrationCheckup { Setup = Orders }),
    };

    /// <summary>The approved texts.</summary>
    public static TheoryData<string> Names => [.. Approved.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task What_a_migration_says_is_the_approved_text(string name)
    {
        var (migration, checkup) = Approved[name];

        ApprovedText.Require($"../../Approved/conversations/{name}.txt", await fixture.Lab.ConversationAsync(migration(), checkup, Ct));
    }

    [Fact]
    public async Task What_differs_from_day_to_day_has_placeholders()
    {
        var said = await fixture.Lab.ConversationAsync(new Stamped(), new MigrationCheckup { Setup = LabFixture.Events }, Ct);

        said.ShouldBe("""
            # forward

            ## 0 code: stamp
            INSERT INTO app.events VALUES (11, 0, 'TIME', 'UUID1'), (12, 0, '1999-12-31', 'UUID1'), (13, 0, '2024-02-28', 'UUID2')

            # rollback

            ## 0 code: stamp
            ALTER TABLE app.events DELETE WHERE id > 10 SETTINGS mutations_sync = 1

            """);
    }

    [Fact]
    public async Task A_migration_that_fails_has_no_conversation() => (await Should.ThrowAsync<MigrationFaultException>(
        () => fixture.Lab.ConversationAsync(MigrationLab.FromYaml("name: m\ndescription: d\noperations: [{ sql: DROP TABLE app.nothing, undo: [] }]"), null, Ct))).Message.ShouldContain("The run is not Completed.");

    private static Migration Sample(string name, [CallerFilePath] string here = "") =>
        MigrationLab.FromFile(Path.GetFullPath($"../../../samples/YamlOnly/migrations/{name}.yaml", Path.GetDirectoryName(here)!));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private sealed class Stamped : Migration
    {
        public override string Name => "stamped";

        public override string Description => "For a test";

        public override IReadOnlyList<MigrationCode> Code =>
            [new("stamp", StampAsync) { UndoAsync = (context, ct) => context.ExecuteAsync("ALTER TABLE app.events DELETE WHERE id > 10 SETTINGS mutations_sync = 1", ct: ct) }];

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations(new CodeOperation("stamp"));

        private static Task StampAsync(CodeContext context, CancellationToken ct)
        {
            var (one, two, today) = (Guid.NewGuid(), Guid.NewGuid(), $"{DateTime.UtcNow:yyyy-MM-dd}");
            return context.ExecuteAsync($"INSERT INTO app.events VALUES (11, 0, '{today}', '{one}'), (12, 0, '1999-12-31', '{one}'), (13, 0, '2024-02-28', '{two}')", ct: ct);
        }
    }
}
