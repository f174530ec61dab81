using Godwit.ClickHouse;
using Godwit.Runs;
using Godwit.Steps;

namespace Godwit.Rebuild;

/// <summary>
/// MATERIALIZED columns that the copy leaves out: the new table gets them afterwards, and the server computes them for old rows when they are read, until a
/// merge stores them. A table with many of them is copied faster so.
/// </summary>
internal static class LateColumns
{
    /// <summary>The journal's fact that the new table has them.</summary>
    public const string AddedFact = "late-columns";

    /// <summary>The columns that may come later: MATERIALIZED ones that no key, index or other column which is there from the start is made of.</summary>
    /// <param name="desired">The new table.</param>
    /// <param name="identity">Columns that tell messages apart from the start.</param>
    public static IReadOnlyList<string> Choose(DesiredTable desired, IReadOnlyList<string> identity)
    {
        var definition = desired.Definition;
        var late = desired.Columns.Where(c => c.DefaultKind == "MATERIALIZED").Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        string?[] clauses = [definition.Engine, definition.PartitionBy, definition.PrimaryKey, definition.OrderBy, definition.SampleBy, definition.Ttl];
        HashSet<string> used;
        do
        {
            used = clauses.OfType<string>().Concat(definition.Elements.Where(e => !IsLate(e, late)).Select(e => e.Text)).SelectMany(Names).Concat(identity).ToHashSet(StringComparer.Ordinal);
        }
        while (late.RemoveWhere(used.Contains) > 0);
        return [.. definition.Columns.Select(c => c.Name).Where(late.Contains)];
    }

    /// <summary>The definition of the new table as it is at this moment.</summary>
    public static TableDefinition Present(StepContext context, RebuildSpec spec) =>
        spec.Late.Count == 0 || context.Journal.Has(AddedFact) ? spec.To : Without(spec);

    /// <summary>The definition without them.</summary>
    public static TableDefinition Without(RebuildSpec spec) =>
        spec.To with { Elements = [.. spec.To.Elements.Where(e => !IsLate(e, spec.Late))] };

    /// <summary>Adds those that are not there yet, each in its place.</summary>
    public static async Task AddAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        var columns = spec.To.Columns.ToList();
        var commands = columns.Select((c, i) => (Column: c, Place: i == 0 ? "FIRST" : $"AFTER {Sql.Identifier(columns[i - 1].Name)}")).Where(c => IsLate(c.Column, spec.Late))
            .Select(c => $"ADD COLUMN IF NOT EXISTS {c.Column.Text} {c.Place}");
        Dictionary<string, string> settings = new(HelperTables.CreateSettings(spec.To), StringComparer.Ordinal) { ["alter_sync"] = "2" };
        await context.ChangeAsync(AddColumns.Name, [$"ALTER TABLE {spec.Staging.ToSql()} {string.Join(", ", commands)}"], settings, ct);
        await context.Journal.FactAsync(AddedFact, true);
    }

    private static bool IsLate(TableElement element, IReadOnlyCollection<string> late) => element.Kind == "COLUMN" && late.Contains(element.Name);

    private static IEnumerable<string> Names(string sql) => SqlText.Tokens(sql).Where(t => t.Kind != SqlText.TokenKind.String).Select(t => SqlText.Unquote(sql[t.Start..t.End]));
}
