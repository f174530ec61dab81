using Godwit.Migrations;
using Godwit.Migrations.Yaml;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Migrations;

/// <summary>What is wrong with a YAML migration is found when it is read: all of it, each with its line.</summary>
public sealed class YamlReaderTests
{
    private const string Head = "name: a\ndescription: b\n";
    private const string Sql = "operations:\n  - { sql: SELECT 1, irreversible: true }\n";

    /// <summary>A file, and all that is wrong with it.</summary>
    public static TheoryData<string, string[]> Wrong => new()
    {
        { "", ["m.yaml:1: The file holds no migration: begin with 'name: …'."] },
        { "- a\n- b", ["m.yaml:1: The file holds no migration: begin with 'name: …'."] },
        { "name: [a", ["m.yaml:2: This is not YAML: *"] },
        { "a: 1\n---\nb: 2", ["m.yaml:3: A file holds one migration: put the second one into a file of its own."] },
        {
            "nme: a\ndescription: b\noperations: []",
            ["m.yaml:1: name is missing.", "m.yaml:3: operations is missing: say what the migration does.", "m.yaml:1: There is no 'nme' here: use *", "m.yaml:1: The name '' is not made of*"]
        },
        { $"name: a b\ndescription: ''\n{Sql}", ["m.yaml:1: The name 'a b' is not made of letters, digits, _, - and . (at most 100).", "m.yaml:2: The description is missing*"] },
        { $"{Head}versions: {{ from: 1.x, mustBeDoneBy: 2 }}\n{Sql}", ["m.yaml:3: The version '1.x' (from) is not one such as 1.42.0."] },
        { $"{Head}versions: {{ from: 2.0.0, mustBeDoneBy: 1.9.0 }}\n{Sql}", ["m.yaml:3: The window of versions is empty: it begins with 2.0.0 and must be done by 1.9.0."] },
        { $"{Head}versions: {{ until: 2 }}\n{Sql}", ["m.yaml:3: There is no 'until' here: use from, mustBeDoneBy."] },
        { $"{Head}requires:\n  clickhouse: new\n  redis: '>=1'\n{Sql}", ["m.yaml:4: 'new' is not a condition on a version: write comparisons such as '>=21.8, <24'.", "m.yaml:5: There is no 'redis' here*"] },
        { $"{Head}parameters:\n  team: {{ type: int }}\n{Sql}", ["m.yaml:4: type: 'int' is not one of integer, number, text, boolean, identifier, timestamp."] },
        { $"{Head}parameters:\n  team: {{ type: integer, default: many }}\n{Sql}", ["m.yaml:4: The definition of team: 'many' is not a whole number."] },
        { $"{Head}parameters:\n  1st: {{ type: text }}\n{Sql}", ["m.yaml:4: The parameter name '1st' is not a letter followed by letters, digits and _."] },
        { $"{Head}healthcheckInterval: soon\n{Sql}", ["m.yaml:3: healthcheckInterval: 'soon' is not a time such as 30s, 5m, 2h or 1d."] },
        { $"{Head}healthcheckInterval: 0.1s\n{Sql}", ["m.yaml:3: The healthchecks are less than a second or more than 30 days apart."] },
        { $"{Head}checks:\n  - sql: SELECT 1\n{Sql}", ["m.yaml:4: name is missing.", "m.yaml:4: scope is missing: say precheck, healthcheck, gate or postcheck.", "m.yaml:4: otherwise is missing."] },
        { $"{Head}checks:\n  - {{ name: a, scope: first, sql: SELECT 1, otherwise: no }}\n{Sql}", ["m.yaml:4: scope: 'first' is not one of precheck, healthcheck, gate, postcheck."] },
        { $"{Head}checks:\n  - &c {{ name: a, scope: gate, sql: SELECT 1, otherwise: no }}\n  - *c\n{Sql}", ["m.yaml:3: There are two checks a."] },
        { $"{Head}required: {{ sql: 'SELECT ${{team}}' }}\n{Sql}", ["m.yaml:3: ${team} is no parameter: there are none.", "m.yaml:3: because is missing.", "m.yaml:3: otherwise is missing."] },
        { $"{Head}operations:\n  - sql: SELECT 1", ["m.yaml:4: Nothing undoes this SQL: add undo (an empty list when nothing has to be undone), or say irreversible if there is no way back."] },
        { $"{Head}operations:\n  - sql: SELECT 1\n    undo: SELECT 2\n    irreversible: true", ["m.yaml:4: This SQL has an undo and is irreversible: leave out one of them."] },
        { $"{Head}operations:\n  - sql: []\n    undo: ' '", ["m.yaml:4: A statement of sql is empty.", "m.yaml:4: A statement of undo is empty."] },
        { $"{Head}operations:\n  - {{ sql: SELECT 1, irreversible: 'perhaps' }}", ["m.yaml:4: irreversible is neither true nor false.", "m.yaml:4: Nothing undoes this SQL*"] },
        { $"{Head}operations:\n  - {{ sql: \"SELECT '${{x}}'\", irreversible: true }}", ["m.yaml:4: ${x} is no parameter: there are none.", "m.yaml:4: ${x} stands in quotes: leave them out, the value is quoted where it is filled in. Put texts together with concat('%', ${x}, '%')."] },
        { $"{Head}operations:\n  - {{ sql: SELECT 1, timeout: 60d, irreversible: true }}", ["m.yaml:4: timeout: '60d' is longer than 30 days."] },
        { $"{Head}parameters: {{ x: {{ type: text, default: a }} }}\noperations:\n  - {{ sql: \"SELECT '%${{x}}%'\", irreversible: true }}", ["m.yaml:5: ${x} stands in quotes: leave them out, the value is quoted where it is filled in. Put texts together with concat('%', ${x}, '%')."] },
        { $"{Head}parameters: {{ x: {{ type: text, default: a }} }}\noperations:\n  - {{ sql: \"SELECT 1 /* ${{x}} */\", irreversible: true }}", ["m.yaml:5: ${x} stands in a comment: leave it out, a value could end the comment."] },
        { $"{Head}parameters: {{ x: {{ type: text, default: a }} }}\noperations:\n  - {{ sql: \"SELECT ${{x:ident}}, ${{}}, $${{y}}\", irreversible: true }}", ["m.yaml:5: ${x:ident} is no place for a value*", "m.yaml:5: ${} is no place for a value*"] },
        { $"{Head}parameters: {{ x: {{ type: integer, min: 3, max: 2 }} }}\n{Sql}", ["m.yaml:3: x: the min '3' is larger than the max '2'."] },
        { $"{Head}operations:\n  - forEach: SELECT 1", ["m.yaml:4: forEach has no operations*"] },
        { $"{Head}operations:\n  - {{ sqll: SELECT 1 }}", ["m.yaml:4: This is not one operation: it needs one of sql, postgresql, *"] },
        { $"{Head}operations:\n  - {{ sql: SELECT 1, rebuild: a.b }}", ["m.yaml:4: This is not one operation*"] },
        { $"{Head}operations:\n  - mutate: a.b\n    command: DELETE WHERE 1", ["m.yaml:4: Nothing undoes this mutation*"] },
        { $"{Head}operations:\n  - mutate: a.b\n    undo: []", ["m.yaml:4: The command of a mutation is empty."] },
        { $"{Head}operations:\n  - postgresql: []\n    undo: ' '", ["m.yaml:4: There is no statement in postgresql.", "m.yaml:4: A statement of undo is empty."] },
        { $"{Head}operations:\n  - {{ sql: SELECT 1, undo: [], scope: everywhere }}", ["m.yaml:4: scope: 'everywhere' is not one of one, eachShard, everyNode."] },
        { $"{Head}operations:\n  - {{ copy: a.b, to: a.c, key: id, batchRows: many }}", ["m.yaml:4: batchRows: 'many' is not a whole number."] },
        { $"{Head}operations:\n  - {{ copy: a.b, to: a.c, key: id, batchRows: 0, columns: {{ x: y }} }}", ["m.yaml:4: batchRows must be between*", "m.yaml:4: columns must say where the key id comes from."] },
        { $"{Head}operations:\n  - {{ copy: a.b, to: a.c, key: id, source: kafka }}", ["m.yaml:4: A copy reads from clickhouse or from postgresql."] },
        { $"{Head}operations:\n  - {{ copy: b, to: a.c, key: id }}", ["m.yaml:4: 'b' names no database*"] },
        { $"{Head}operations:\n  - {{ movePartition: a.b, partition: '1', to: a.b }}", ["m.yaml:4: Both tables are a.b."] },
        { $"{Head}operations:\n  - {{ dropPartition: a.b }}", ["m.yaml:4: partition is missing.", "m.yaml:4: The partition's id is missing*"] },
        { $"{Head}operations:\n  - create: CREATE TABLE IF NOT EXISTS a.b (c UInt8) ENGINE = Memory", ["m.yaml:4: A create needs a statement such as*"] },
        { $"{Head}operations:\n  - rebuild: events\n    orderBy: a", ["m.yaml:4: *"] },
        { $"{Head}operations:\n  - rebuild: a.b", ["m.yaml:4: Nothing is asked for*"] },
        { $"{Head}operations:\n  - forEach: SELECT 1 AS a\n    operations:\n      - forEach: SELECT 2", ["m.yaml:6: This is not one operation: inside forEach it needs one of sql, *"] },
        { $"{Head}operations:\n  - forEach: SELECT 1 AS a\n    operations:\n      - sql: SELECT ${{a}}", ["m.yaml:6: Nothing undoes this SQL*"] },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void All_that_is_wrong_is_told_with_its_line(string text, string[] problems)
    {
        var (migration, found) = YamlReader.Read("m.yaml", text);
        var all = found.Concat(migration?.Problems() ?? []).Select(p => p.ToString()).ToList();

        var lines = string.Join('\n', all);
        all.Count.ShouldBe(problems.Length, lines);
        foreach (var problem in problems)
        {
            all.ShouldContain(a => Matches(a, problem), $"{problem}\nis not among\n{lines}");
        }
    }

    [Fact]
    public async Task A_file_says_everything_that_a_class_can_say()
    {
        var (migration, problems) = YamlReader.Read("m.yaml", """
            name: 0007_country
            description: >
              Events get
              a country.
            versions: { from: 1.40.0, mustBeDoneBy: 1.44.0 }
            dependsOn: [0001_a, 0002_b]
            requires: { clickhouse: ">=21.8, <30" }
            parameters:
              country: { default: "it's", help: The default country }
              days: { type: integer, default: 7, min: 1, max: 90 }
            healthcheckInterval: 5s
            operations:
              - sql:
                  - ALTER TABLE app.events ADD COLUMN country String DEFAULT ${country}
                  - ALTER TABLE app.events MATERIALIZE COLUMN country
                settings: { mutations_sync: 1 }
                timeout: 2h
                undo: ALTER TABLE app.events DROP COLUMN country
                repeatable: true
              - rebuild: app.events
                orderBy: (team_id, ${country:identifier})
                settings: { index_granularity: 1024 }
                strategy: second-consumer
                identity: team_id, ${country:identifier}
              - sql: ALTER TABLE app.events DELETE WHERE age('day', d, today()) > ${days} AND x != '$${'
                irreversible: true
                description: Forget what is older than ${days} days
            """);

        problems.ShouldBeEmpty();
        migration!.Problems().ShouldBeEmpty();
        (migration.Name, migration.Description.Trim()).ShouldBe(("0007_country", "Events get a country."));
        migration.Versions.ShouldBe(new VersionWindow("1.40.0", "1.44.0"));
        migration.DependsOn.ShouldBe(["0001_a", "0002_b"]);
        migration.HealthcheckInterval.ShouldBe(TimeSpan.FromSeconds(5));
        var values = ParameterValues.Read(migration.Parameters, new Dictionary<string, string> { ["days"] = "30" }).Values!;
        var operations = await migration.PlanAsync(new MigrationContext(null!, null, values, null), TestContext.Current.CancellationToken);
        var sql = operations[0].ShouldBeOfType<Operations.SqlOperation>();
        sql.Forward.Statements.ShouldBe([@"ALTER TABLE app.events ADD COLUMN country String DEFAULT 'it\'s'", "ALTER TABLE app.events MATERIALIZE COLUMN country"]);
        (sql.Forward.Settings["mutations_sync"], sql.Forward.Timeout, sql.Forward.Repeatable).ShouldBe(("1", TimeSpan.FromHours(2), true));
        sql.Undo!.Statements.ShouldBe(["ALTER TABLE app.events DROP COLUMN country"]);
        var rebuild = operations[1].ShouldBeOfType<Operations.RebuildOperation>().Request;
        (rebuild.OrderBy, rebuild.Settings[0]).ShouldBe((@"(team_id, `it's`)", "index_granularity=1024"));
        (rebuild.Strategy, rebuild.Identity).ShouldBe(("second-consumer", "team_id, `it's`"));
        var last = operations[2].ShouldBeOfType<Operations.SqlOperation>();
        (last.Forward.Statements[0], last.Description, last.Irreversible).ShouldBe(
            ("ALTER TABLE app.events DELETE WHERE age('day', d, today()) > 30 AND x != '${'", "Forget what is older than 30 days", true));
    }

    private static bool Matches(string text, string pattern) =>
        pattern.EndsWith('*') ? text.StartsWith(pattern[..^1], StringComparison.Ordinal) : text == pattern;
}
