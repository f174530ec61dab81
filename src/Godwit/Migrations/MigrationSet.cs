namespace Godwit.Migrations;

/// <summary>The migrations that a product carries, each after those that it depends on.</summary>
public sealed class MigrationSet
{
    private readonly Dictionary<string, Migration> _byName;

    /// <summary>Takes definitions together.</summary>
    /// <exception cref="DefinitionException">Something is wrong with them; all of it is told.</exception>
    public MigrationSet(IReadOnlyList<Migration> migrations)
    {
        ArgumentNullException.ThrowIfNull(migrations);
        var problems = migrations.SelectMany(m => m.Problems()).Concat(MigrationProblems.OfAll(migrations)).Distinct().ToList();
        if (problems.Count > 0)
        {
            throw new DefinitionException(problems);
        }

        _byName = migrations.ToDictionary(m => m.Name, StringComparer.Ordinal);
        All = InOrder(migrations);
    }

    /// <summary>No migrations.</summary>
    public static MigrationSet Empty { get; } = new([]);

    /// <summary>All of them: by name, but each after those that it depends on.</summary>
    public IReadOnlyList<Migration> All { get; }

    /// <summary>The migration of that name; null when there is none.</summary>
    public Migration? Find(string name) => _byName.GetValueOrDefault(name);

    private List<Migration> InOrder(IReadOnlyList<Migration> migrations)
    {
        List<Migration> ordered = [];
        HashSet<string> placed = new(StringComparer.Ordinal);
        void Place(Migration migration)
        {
            if (placed.Add(migration.Name))
            {
                foreach (var name in migration.DependsOn.Order(StringComparer.Ordinal))
                {
                    Place(_byName[name]);
                }

                ordered.Add(migration);
            }
        }

        foreach (var migration in migrations.OrderBy(m => m.Name, StringComparer.Ordinal))
        {
            Place(migration);
        }

        return ordered;
    }
}
