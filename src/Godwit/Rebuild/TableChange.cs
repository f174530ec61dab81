using Godwit.ClickHouse;

namespace Godwit.Rebuild;

/// <summary>One difference between what a table is and what it is to become.</summary>
/// <param name="What">What differs, such as <c>ORDER BY</c> or <c>column country</c>.</param>
/// <param name="Before">Its present text; null when there is none.</param>
/// <param name="After">Its wanted text; null when there is to be none.</param>
/// <param name="Alter">The ALTER command that makes the change; null when ClickHouse has none.</param>
/// <param name="Undo">The ALTER command that takes it back; null when there is none.</param>
public sealed record TableChange(string What, string? Before, string? After, string? Alter, string? Undo)
{
    /// <summary>All differences between two definitions, both as the server formats them.</summary>
    public static List<TableChange> Between(TableDefinition from, TableDefinition to)
    {
        List<TableChange> changes = [];
        void Clause(string what, string? before, string? after, Func<string?, string?>? alter)
        {
            if (before != after)
            {
                changes.Add(new TableChange(what, before, after, alter?.Invoke(after), alter?.Invoke(before)));
            }
        }

        Clause("ENGINE", from.Engine, to.Engine, null);
        Clause("PARTITION BY", from.PartitionBy, to.PartitionBy, null);
        Clause("PRIMARY KEY", from.PrimaryKey, to.PrimaryKey, null);
        Clause("ORDER BY", from.OrderBy, to.OrderBy, null);
        Clause("SAMPLE BY", from.SampleBy, to.SampleBy, value => value is null ? "REMOVE SAMPLE BY" : $"MODIFY SAMPLE BY {value}");
        changes.AddRange(Elements(from, to));
        Clause("TTL", from.Ttl, to.Ttl, value => value is null ? "REMOVE TTL" : $"MODIFY TTL {value}");
        foreach (var name in from.Settings.Keys.Union(to.Settings.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            Clause(
                $"setting {name}",
                from.Settings.GetValueOrDefault(name),
                to.Settings.GetValueOrDefault(name),
                value => value is null ? $"RESET SETTING {name}" : $"MODIFY SETTING {name} = {value}");
        }

        Clause("COMMENT", from.Comment, to.Comment, value => $"MODIFY COMMENT {value ?? "''"}");
        return changes;
    }

    /// <summary>Whether only the engine differs, so that the same files serve both tables.</summary>
    public static bool IsEngineOnly(IReadOnlyList<TableChange> changes) => changes is [{ What: "ENGINE" }];

    /// <inheritdoc/>
    public override string ToString() => $"{What}: {Before ?? "(none)"} -> {After ?? "(none)"}";

    private static IEnumerable<TableChange> Elements(TableDefinition from, TableDefinition to)
    {
        static (string, string) Key(TableElement e) => (e.Kind, e.Name);
        var before = from.Elements.ToDictionary(Key);
        var after = to.Elements.ToDictionary(Key);
        foreach (var element in from.Elements.Where(e => !after.ContainsKey(Key(e))))
        {
            var name = Sql.Identifier(element.Name);
            yield return new TableChange(Label(element), element.Text, null, $"DROP {element.Kind} IF EXISTS {name}", $"ADD {WithIfNotExists(element)}{Place(element, from)}");
        }

        foreach (var element in to.Elements)
        {
            if (!before.TryGetValue(Key(element), out var old))
            {
                yield return new TableChange(
                    Label(element), null, element.Text, $"ADD {WithIfNotExists(element)}{Place(element, to)}", $"DROP {element.Kind} IF EXISTS {Sql.Identifier(element.Name)}");
            }
            else if (old.Text != element.Text)
            {
                var isColumn = element.Kind == "COLUMN";
                yield return new TableChange(
                    Label(element), old.Text, element.Text, isColumn ? $"MODIFY COLUMN {element.Text}" : null, isColumn ? $"MODIFY COLUMN {old.Text}" : null);
            }
        }
    }

    private static string Label(TableElement element) => $"{element.Kind.ToLowerInvariant()} {element.Name}";

    // Without it a column comes last, and INSERT without a list of columns would fill others than those that were written out.
    private static string Place(TableElement element, TableDefinition definition)
    {
        if (element.Kind != "COLUMN")
        {
            return "";
        }

        return definition.Columns.TakeWhile(e => e.Name != element.Name).LastOrDefault() is { } before ? $" AFTER {Sql.Identifier(before.Name)}" : " FIRST";
    }

    private static string WithIfNotExists(TableElement element) => element.Kind == "COLUMN"
        ? $"COLUMN IF NOT EXISTS {element.Text}"
        : $"{element.Kind} IF NOT EXISTS {element.Text[element.Kind.Length..].TrimStart()}";
}
