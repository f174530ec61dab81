using Godwit.ClickHouse;
using Godwit.Operations;
using Godwit.Rebuild;

namespace Godwit.Migrations.Yaml;

/// <summary>Gives the operations that an entry of a YAML migration stands for, on this instance.</summary>
internal delegate Task<IReadOnlyList<Operation>> YamlOperation(MigrationContext context, CancellationToken ct);

/// <summary>Reads the list <c>operations</c>. Which operation an entry is, its first word says: sql, rebuild or forEach.</summary>
internal static class YamlOperations
{
    private static readonly Dictionary<string, Func<YamlMap, Func<Func<string, string>, Operation>>> Kinds = new(StringComparer.Ordinal)
    {
        ["sql"] = ReadSql,
        ["rebuild"] = ReadRebuild,
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

        var make = Kinds[kind](map);
        map.End();
        Tell(map, make, names);
        return (context, _) => Task.FromResult<IReadOnlyList<Operation>>([make(text => SqlTemplate.Fill(text, context.Parameters.Find))]);
    }

    private static YamlOperation? ReadForEach(YamlMap map, IReadOnlyCollection<string>? names)
    {
        var sql = map.RequiredText("forEach");
        foreach (var problem in SqlTemplate.Problems(sql, names))
        {
            map.File.Problem(map.LineOf("forEach"), problem);
        }

        List<(Func<Func<string, string>, Operation> Make, long Line)> makers = [];
        foreach (var entry in map.Maps("operations"))
        {
            if (Kinds.Keys.Where(k => entry.Keys.Contains(k, StringComparer.Ordinal)).ToList() is not [var kind])
            {
                entry.File.Problem(entry.Line, $"This is not one operation: inside forEach it needs one of {string.Join(", ", Kinds.Keys)}.");
                continue;
            }

            var make = Kinds[kind](entry);
            entry.End();
            Tell(entry, make, null);
            makers.Add((make, entry.Line));
        }

        map.End();
        return async (context, ct) =>
        {
            var rows = await context.ClickHouse.QueryAsync(SqlTemplate.Fill(sql, context.Parameters.Find), ct: ct);
            return rows.SelectMany(row => makers.Select(m => m.Make(text => SqlTemplate.Fill(
                text, name => SqlTemplate.Find(row, name) ?? context.Parameters.Find(name))))).ToList();
        };
    }

    // What can be seen without an instance is told when the file is read: with values in its places that look like real ones.
    private static void Tell(YamlMap map, Func<Func<string, string>, Operation> make, IReadOnlyCollection<string>? names)
    {
        HashSet<string> problems = new(StringComparer.Ordinal);
        try
        {
            problems.UnionWith(make(text =>
            {
                problems.UnionWith(SqlTemplate.Problems(text, names));
                return SqlTemplate.Fill(text, _ => "x");
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

    private static Func<Func<string, string>, Operation> ReadSql(YamlMap map)
    {
        var (forward, undo) = (Statements(map, "sql", "settings", "timeout", "repeatable"), Statements(map, "undo", "undoSettings", "undoTimeout", "undoRepeatable"));
        var irreversible = map.Flag("irreversible") ?? false;
        var description = map.Text("description");
        return fill => new SqlOperation
        {
            Description = description is null ? null : fill(description),
            Forward = Fill(forward, fill),
            Undo = map.Keys.Contains("undo", StringComparer.Ordinal) ? Fill(undo, fill) : null,
            Irreversible = irreversible,
        };
    }

    private static SqlStatements Statements(YamlMap map, string key, string settings, string timeout, string repeatable) => new(map.Texts(key))
    {
        Settings = map.TextMap(settings),
        Timeout = map.Time(timeout),
        Repeatable = map.Flag(repeatable),
    };

    private static SqlStatements Fill(SqlStatements sql, Func<string, string> fill) => sql with { Statements = sql.Statements.Select(fill).ToList() };

    private static Func<Func<string, string>, Operation> ReadRebuild(YamlMap map)
    {
        var table = map.RequiredText("rebuild");
        var (description, ddl, strategy) = (map.Text("description"), map.Text("ddl"), map.Text("strategy") ?? "auto");
        var (orderBy, primaryKey, partitionBy, sampleBy) = (map.Text("orderBy"), map.Text("primaryKey"), map.Text("partitionBy"), map.Text("sampleBy"));
        var (engine, ttl, settings, accept) = (map.Text("engine"), map.Text("ttl"), map.TextMap("settings"), map.Texts("accept"));
        var (add, modify, drop) = (map.Texts("addColumns"), map.Texts("modifyColumns"), map.Texts("dropColumns"));
        return fill =>
        {
            string? Maybe(string? text) => text is null ? null : fill(text);
            return new RebuildOperation(new RebuildRequest
            {
                Table = QualifiedName.Parse(fill(table)),
                Ddl = Maybe(ddl),
                OrderBy = Maybe(orderBy),
                PrimaryKey = Maybe(primaryKey),
                PartitionBy = Maybe(partitionBy),
                SampleBy = Maybe(sampleBy),
                Engine = Maybe(engine),
                Ttl = Maybe(ttl),
                AddColumns = add.Select(fill).ToList(),
                ModifyColumns = modify.Select(fill).ToList(),
                DropColumns = drop.Select(fill).ToList(),
                Settings = settings.Select(s => $"{s.Key}={s.Value}").ToList(),
                Strategy = strategy,
                Accept = accept,
            })
            {
                Description = Maybe(description),
            };
        };
    }
}
