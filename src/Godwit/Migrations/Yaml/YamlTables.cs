using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.Operations;
using Godwit.Rebuild;

namespace Godwit.Migrations.Yaml;

/// <summary>Reads operations on the rows of tables.</summary>
internal static class YamlTables
{
    /// <summary>A rebuild.</summary>
    public static OperationMaker Rebuild(YamlMap map)
    {
        var table = map.RequiredText("rebuild");
        var (ddl, strategy, identity) = (map.Text("ddl"), map.Text("strategy") ?? "auto", map.Text("identity"));
        var (orderBy, primaryKey, partitionBy, sampleBy) = (map.Text("orderBy"), map.Text("primaryKey"), map.Text("partitionBy"), map.Text("sampleBy"));
        var (engine, ttl, settings, accept) = (map.Text("engine"), map.Text("ttl"), map.TextMap("settings"), map.Texts("accept"));
        var (add, modify, drop) = (map.Texts("addColumns"), map.Texts("modifyColumns"), map.Texts("dropColumns"));
        var later = map.Flag("materializeLater") ?? false;
        var (pause, resume, timeout) = (map.Text("pauseHook"), map.Text("resumeHook"), map.Time("hookTimeout"));
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
                AddColumns = add.Select(t => fill(t)).ToList(),
                ModifyColumns = modify.Select(t => fill(t)).ToList(),
                DropColumns = drop.Select(t => fill(t)).ToList(),
                Settings = settings.Select(s => $"{s.Key}={s.Value}").ToList(),
                Strategy = strategy,
                Identity = Maybe(identity),
                MaterializeLater = later,
                PauseHook = Maybe(pause),
                ResumeHook = Maybe(resume),
                HookTimeout = timeout ?? RebuildRequest.DefaultHookTimeout,
                Accept = accept,
            });
        };
    }

    /// <summary>A mutation.</summary>
    public static OperationMaker Mutation(YamlMap map)
    {
        var (table, commands, undo) = (map.RequiredText("mutate"), map.Texts("command"), map.Texts("undo"));
        var (hasUndo, irreversible) = (map.Has("undo"), map.Flag("irreversible") ?? false);
        var (scope, settings) = (map.Word<NodeScope>("scope") ?? NodeScope.One, map.TextMap("settings"));
        return fill => new MutationOperation(QualifiedName.Parse(fill(table)), string.Join(", ", commands.Select(t => fill(t))))
        {
            Undo = hasUndo ? string.Join(", ", undo.Select(t => fill(t))) : null,
            Irreversible = irreversible,
            Scope = scope,
            Settings = settings,
        };
    }

    /// <summary>A copy in batches.</summary>
    public static OperationMaker Copy(YamlMap map)
    {
        var (table, to, key) = (map.RequiredText("copy"), map.RequiredText("to"), map.RequiredText("key"));
        var (source, columns, where) = (map.Word<Service>("source") ?? Service.ClickHouse, map.TextMap("columns"), map.Text("where"));
        var batchRows = map.Number("batchRows");
        var kind = source == Service.PostgreSql ? TemplateKind.PostgreSql : TemplateKind.ClickHouse;
        return fill =>
        {
            var copy = new CopyOperation(QualifiedName.Parse(fill(table)), QualifiedName.Parse(fill(to)), key)
            {
                Source = source,
                Columns = columns.ToDictionary(c => c.Key, c => fill(c.Value, kind), StringComparer.Ordinal),
                Where = where is null ? null : fill(where, kind),
            };
            return batchRows is { } rows ? copy with { BatchRows = rows } : copy;
        };
    }

    /// <summary>A comparison of two tables, or of a rebuilt table with its old one.</summary>
    public static OperationMaker Compare(YamlMap map)
    {
        var (a, b, by) = (map.RequiredText("compare"), map.Text("with"), map.Texts("by"));
        var (day, id, where, limit) = (map.Text("day"), map.Text("id"), map.Text("where"), map.Number("limit"));
        return fill =>
        {
            var compare = b is null
                ? CompareOperation.WithOld(QualifiedName.Parse(fill(a)))
                : new CompareOperation(new ComparisonRequest(TableOrPattern.Parse(fill(a)), TableOrPattern.Parse(fill(b))));
            return compare with
            {
                Request = compare.Request with
                {
                    By = by.Select(t => fill(t)).ToList(),
                    Day = day is null ? null : fill(day),
                    Id = id is null ? null : fill(id),
                    Where = where is null ? null : fill(where),
                    Limit = limit is { } most ? (int)Math.Clamp(most, int.MinValue, int.MaxValue) : ComparisonRequest.DefaultLimit,
                },
            };
        };
    }

    /// <summary>A table that gets the rows of another one.</summary>
    public static OperationMaker Link(YamlMap map)
    {
        var (table, to, scope) = (map.RequiredText("link"), map.RequiredText("to"), map.Word<NodeScope>("scope") ?? NodeScope.One);
        return fill => new LinkOperation(QualifiedName.Parse(fill(table)), QualifiedName.Parse(fill(to))) { Scope = scope };
    }

    /// <summary>A partition that is moved, replaced or dropped.</summary>
    /// <param name="map">The entry.</param>
    /// <param name="action">What becomes of it.</param>
    /// <param name="key">The key that names the table.</param>
    /// <param name="other">The key that names the other table; null when there is none.</param>
    public static OperationMaker Partition(YamlMap map, PartitionAction action, string key, string? other)
    {
        var (table, partition, second) = (map.RequiredText(key), map.RequiredText("partition"), other is null ? null : map.RequiredText(other));
        return fill => new PartitionOperation(action, QualifiedName.Parse(fill(table)), SqlText.Unquote(fill(partition))) { Other = second is null ? null : QualifiedName.Parse(fill(second)) };
    }
}
