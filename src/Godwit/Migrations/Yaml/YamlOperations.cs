using Godwit.Operations;

namespace Godwit.Migrations.Yaml;

/// <summary>Gives the operations that an entry of a YAML migration stands for, on this instance.</summary>
internal delegate Task<IReadOnlyList<Operation>> YamlOperation(MigrationContext context, CancellationToken ct);

/// <summary>Makes an operation of an entry, once the values of its parameters are known.</summary>
/// <param name="fill">Puts values in the places of a text.</param>
internal delegate Operation OperationMaker(TemplateFiller fill);

/// <summary>Puts values in the places of a text.</summary>
internal delegate string TemplateFiller(string text, TemplateKind kind = TemplateKind.ClickHouse);

/// <summary>Reads the list <c>operations</c>. Which operation an entry is, one of its keys says.</summary>
internal static class YamlOperations
{
    private static readonly Dictionary<string, Func<YamlMap, OperationMaker>> Kinds = new(StringComparer.Ordinal)
    {
        ["sql"] = YamlSql.ClickHouse,
        ["postgresql"] = YamlSql.PostgreSql,
        ["rebuild"] = YamlTables.Rebuild,
        ["mutate"] = YamlTables.Mutation,
        ["compare"] = YamlTables.Compare,
        ["copy"] = YamlTables.Copy,
        ["link"] = YamlTables.Link,
        ["movePartition"] = map => YamlTables.Partition(map, PartitionAction.Move, "movePartition", "to"),
        ["replacePartition"] = map => YamlTables.Partition(map, PartitionAction.Replace, "replacePartition", "from"),
        ["dropPartition"] = map => YamlTables.Partition(map, PartitionAction.Drop, "dropPartition", null),
        ["create"] = YamlObjects.Create,
        ["drop"] = YamlObjects.Drop,
        ["rename"] = YamlObjects.Rename,
        ["keepOld"] = YamlObjects.KeepOld,
        ["detach"] = map => YamlObjects.Detach(map, "detach", attaches: false),
        ["attach"] = map => YamlObjects.Detach(map, "attach", attaches: true),
    };

    /// <summary>One entry; null when it is none, which is told.</summary>
    /// <param name="map">The entry.</param>
    /// <param name="names">The names that its SQL may use; null when they show only later.</param>
    public static YamlOperation? Read(YamlMap map, IReadOnlyCollection<string>? names)
    {
        if (map.Keys.Contains("forEach", StringComparer.Ordinal))
        {
            return ReadForEach(map, names);
        }

        if (Kinds.Keys.Where(k => map.Keys.Contains(k, StringComparer.Ordinal)).ToList() is not [var kind])
        {
            map.File.Problem(map.Line, $"This is not one operation: it needs one of {string.Join(", ", Kinds.Keys)}, forEach.");
            return null;
        }

        var make = Read(map, kind, names);
        return (context, _) => Task.FromResult<IReadOnlyList<Operation>>([make((text, kind) => SqlTemplate.Fill(text, context.Parameters.Find, kind))]);
    }

    private static YamlOperation? ReadForEach(YamlMap map, IReadOnlyCollection<string>? names)
    {
        var sql = map.RequiredText("forEach");
        foreach (var problem in SqlTemplate.Problems(sql, names))
        {
            map.File.Problem(map.LineOf("forEach"), problem);
        }

        List<OperationMaker> makers = [];
        var entries = map.Maps("operations");
        if (entries.Count == 0)
        {
            map.File.Problem(map.LineOf("forEach"), "forEach has no operations: list under `operations` what is done for each row.");
        }

        foreach (var entry in entries)
        {
            if (Kinds.Keys.Where(k => entry.Keys.Contains(k, StringComparer.Ordinal)).ToList() is not [var kind])
            {
                entry.File.Problem(entry.Line, $"This is not one operation: inside forEach it needs one of {string.Join(", ", Kinds.Keys)}.");
                continue;
            }

            makers.Add(Read(entry, kind, null));
        }

        map.End();
        return async (context, ct) =>
        {
            var rows = await context.ClickHouse.QueryAsync(SqlTemplate.Fill(sql, context.Parameters.Find), ct: ct);
            return rows.SelectMany(row => makers.Select(make => make((text, kind) => SqlTemplate.Fill(
                text, name => SqlTemplate.Find(row, name) ?? context.Parameters.Find(name), kind)))).ToList();
        };
    }

    private static OperationMaker Read(YamlMap map, string kind, IReadOnlyCollection<string>? names)
    {
        var description = map.Text("description");
        var make = Kinds[kind](map);
        map.End();
        OperationMaker described = fill => make(fill) with { Description = description is null ? null : fill(description, TemplateKind.Words) };
        Tell(map, described, names);
        return described;
    }

    // What can be seen without an instance is told when the file is read: with values in its places that look like real ones.
    private static void Tell(YamlMap map, OperationMaker make, IReadOnlyCollection<string>? names)
    {
        HashSet<string> problems = new(StringComparer.Ordinal);
        try
        {
            problems.UnionWith(make((text, kind) =>
            {
                problems.UnionWith(SqlTemplate.Problems(text, names, kind));
                return SqlTemplate.Fill(text, _ => "x", kind);
            }).Problems());
        }
        catch (FormatException e)
        {
            problems.Add(e.Message);
        }

        foreach (var problem in problems)
        {
            map.File.Problem(map.Line, problem);
        }
    }
}
