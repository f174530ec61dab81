using Godwit.ClickHouse;
using Godwit.Operations;

namespace Godwit.Migrations.Yaml;

/// <summary>Reads operations on tables, views and dictionaries as wholes.</summary>
internal static class YamlObjects
{
    /// <summary>Makes one.</summary>
    public static OperationMaker Create(YamlMap map)
    {
        var (ddl, scope) = (map.RequiredText("create"), Scope(map));
        return fill => new CreateOperation(fill(ddl)) { Scope = scope };
    }

    /// <summary>Takes one away.</summary>
    public static OperationMaker Drop(YamlMap map)
    {
        var (name, scope) = (map.RequiredText("drop"), Scope(map));
        return fill => new DropOperation(QualifiedName.Parse(fill(name))) { Scope = scope };
    }

    /// <summary>Gives some other names.</summary>
    public static OperationMaker Rename(YamlMap map)
    {
        var (tables, scope) = (map.TextMap("rename"), Scope(map));
        return fill => new RenameOperation(tables.Select(t => new Renaming(QualifiedName.Parse(fill(t.Key)), QualifiedName.Parse(fill(t.Value)))).ToList()) { Scope = scope };
    }

    /// <summary>Keeps the old table of a rebuild.</summary>
    public static OperationMaker KeepOld(YamlMap map)
    {
        var (table, name) = (map.RequiredText("keepOld"), map.RequiredText("as"));
        return fill => RenameOperation.KeepOld(QualifiedName.Parse(fill(table)), QualifiedName.Parse(fill(name)));
    }

    /// <summary>Detaches or attaches a view.</summary>
    public static OperationMaker Detach(YamlMap map, string key, bool attaches)
    {
        var (name, scope) = (map.RequiredText(key), Scope(map));
        return fill => new DetachOperation(QualifiedName.Parse(fill(name))) { Attaches = attaches, Scope = scope };
    }

    private static NodeScope Scope(YamlMap map) => map.Word<NodeScope>("scope") ?? NodeScope.One;
}
