using System.Text.RegularExpressions;

namespace Godwit.Rebuild;

/// <summary>How one column of the target gets its values from a row of the source.</summary>
/// <param name="Target">The column's name in the target.</param>
/// <param name="Type">Its type in the target.</param>
/// <param name="Expression">SQL over the source's columns.</param>
public sealed partial record ColumnMapping(string Target, string Type, string Expression)
{
    /// <summary>
    /// The mapping from one table to another. ALIAS and EPHEMERAL columns hold nothing; a column that only the target has gets
    /// its default there; a MATERIALIZED column that both compute alike keeps its stored values, another is computed anew.
    /// </summary>
    /// <param name="source">The columns of the table that is read.</param>
    /// <param name="target">The columns of the table that is written.</param>
    /// <param name="canInsertMaterialized">Whether the server takes values for MATERIALIZED columns.</param>
    public static List<ColumnMapping> Between(
        IReadOnlyList<TableColumn> source, IReadOnlyList<TableColumn> target, bool canInsertMaterialized)
    {
        var byName = source.ToDictionary(c => c.Name, StringComparer.Ordinal);
        List<ColumnMapping> mappings = [];
        foreach (var column in target.Where(c => c.IsStored))
        {
            if (!byName.TryGetValue(column.Name, out var from) || from.DefaultKind == "EPHEMERAL")
            {
                continue;
            }

            if (column.DefaultKind == "MATERIALIZED" && !(canInsertMaterialized && from == column))
            {
                continue;
            }

            mappings.Add(new ColumnMapping(column.Name, column.Type, Cast(from, column.Type)));
        }

        return mappings;
    }

    /// <summary>Whether it is taken over as it is, and its hash is the same for whoever computes it, whatever the settings.</summary>
    public bool IsPlain => Expression == ClickHouse.Sql.Identifier(Target) && !HasManyForms();

    /// <summary>Whether this takes over the values of a column as they are.</summary>
    public bool Keeps(string column) => Target == column && Expression == ClickHouse.Sql.Identifier(column);

    /// <summary>What goes into the row's hash for this column, over the target's column of that name.</summary>
    /// <remarks>
    /// A NULL makes cityHash64 NULL and the row would vanish from the sum, so it is replaced and marked. Types whose hash would
    /// take a NULL inside for a default value, or that have more than one form of the same value, are hashed as text.
    /// </remarks>
    public string HashArguments()
    {
        var name = ClickHouse.Sql.Identifier(Target);
        var nullable = Inner(Type, "Nullable") ?? (Inner(Type, "LowCardinality") is { } low ? Inner(low, "Nullable") : null);
        if (nullable is not null)
        {
            return $"ifNull({name}, defaultValueOfTypeName({ClickHouse.Sql.Literal(nullable)})), isNull({name})";
        }

        return HasManyForms() ? $"ifNull(toString({name}), ''), isNull({name})" : name;
    }

    /// <summary>The same for servers that hash numbers, texts and dates only.</summary>
    public string HashTexts()
    {
        var name = ClickHouse.Sql.Identifier(Target);
        return IsHashedByAll().IsMatch(Type) ? name : $"ifNull(toString({name}), ''), isNull({name})";
    }

    [GeneratedRegex(@"^(U?Int(8|16|32|64)|Float(32|64)|String|FixedString\(\d+\)|Date|DateTime(\('[^']*'\))?|Enum(8|16)\(.*\))$")]
    private static partial Regex IsHashedByAll();

    private bool HasManyForms() =>
        !Type.StartsWith("AggregateFunction(", StringComparison.Ordinal)
        && (Type.Contains("Nullable(", StringComparison.Ordinal) || Type.Contains("JSON", StringComparison.Ordinal)
            || Type.Contains("Dynamic", StringComparison.Ordinal) || Type.Contains("Variant(", StringComparison.Ordinal));

    private static string Cast(TableColumn from, string type)
    {
        var name = ClickHouse.Sql.Identifier(from.Name);
        return from.Type == type ? name : $"CAST({name} AS {type})";
    }

    private static string? Inner(string type, string wrapper) =>
        type.StartsWith(wrapper + "(", StringComparison.Ordinal) && type.EndsWith(')') ? type[(wrapper.Length + 1)..^1] : null;
}
