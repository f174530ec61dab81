using System.Text.Json;
using Godwit.Migrations.Yaml;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Migrations;

/// <summary>The schema for editors and the reader know the same keys.</summary>
public sealed class SchemaTests
{
    /// <summary>A place in the schema, and a file with the key <c>zzz</c> at the same place.</summary>
    public static TheoryData<string, string> Places => new()
    {
        { "", "zzz: 1" },
        { "properties/versions", "versions: { zzz: 1 }" },
        { "properties/requires", "requires: { zzz: 1 }" },
        { "$defs/parameter", "parameters: { p: { zzz: 1 } }" },
        { "$defs/required", "required: { zzz: 1 }" },
        { "$defs/check", "checks: [{ zzz: 1 }]" },
        { "$defs/sql", "operations: [{ sql: SELECT 1, zzz: 1 }]" },
        { "$defs/postgresql", "operations: [{ postgresql: SELECT 1, zzz: 1 }]" },
        { "$defs/mutate", "operations: [{ mutate: a.b, zzz: 1 }]" },
        { "$defs/compare", "operations: [{ compare: a.b, zzz: 1 }]" },
        { "$defs/copy", "operations: [{ copy: a.b, zzz: 1 }]" },
        { "$defs/link", "operations: [{ link: a.b, zzz: 1 }]" },
        { "$defs/movePartition", "operations: [{ movePartition: a.b, zzz: 1 }]" },
        { "$defs/replacePartition", "operations: [{ replacePartition: a.b, zzz: 1 }]" },
        { "$defs/dropPartition", "operations: [{ dropPartition: a.b, zzz: 1 }]" },
        { "$defs/create", "operations: [{ create: CREATE, zzz: 1 }]" },
        { "$defs/drop", "operations: [{ drop: a.b, zzz: 1 }]" },
        { "$defs/rename", "operations: [{ rename: { a.b: a.c }, zzz: 1 }]" },
        { "$defs/keepOld", "operations: [{ keepOld: a.b, zzz: 1 }]" },
        { "$defs/detach", "operations: [{ detach: a.b, zzz: 1 }]" },
        { "$defs/attach", "operations: [{ attach: a.b, zzz: 1 }]" },
        { "$defs/rebuild", "operations: [{ rebuild: a.b, zzz: 1 }]" },
        { "$defs/forEach", "operations: [{ forEach: SELECT 1, zzz: 1 }]" },
    };

    [Theory]
    [MemberData(nameof(Places))]
    public async Task The_schema_knows_the_keys_that_the_reader_knows(string place, string yaml)
    {
        await using var stream = typeof(global::Godwit.Cli.ProductVersion).Assembly.GetManifestResourceStream("Godwit.Cli.Commands.Migrations.migration.schema.json")!;
        using var schema = await JsonDocument.ParseAsync(stream, cancellationToken: TestContext.Current.CancellationToken);
        var element = place.Split('/', StringSplitOptions.RemoveEmptyEntries).Aggregate(schema.RootElement, (e, name) => e.GetProperty(name));
        var known = element.GetProperty("properties").EnumerateObject().Select(p => p.Name);
        element.GetProperty("additionalProperties").GetBoolean().ShouldBeFalse();

        var told = YamlReader.Read("m.yaml", yaml).Problems.Select(p => p.Message).Single(m => m.StartsWith("There is no 'zzz' here: use ", StringComparison.Ordinal));

        told["There is no 'zzz' here: use ".Length..^1].Split(", ").Order(StringComparer.Ordinal).ShouldBe(known.Order(StringComparer.Ordinal));
    }
}
