using System.Text.RegularExpressions;
using Godwit.Operations;

namespace Godwit.Migrations;

/// <summary>What can be wrong with definitions before any of them runs: with each alone, and with all of them together.</summary>
internal static partial class MigrationProblems
{
    /// <summary>The problems of one definition.</summary>
    public static IEnumerable<DefinitionProblem> Of(Migration migration)
    {
        if (!IsName(migration.Name))
        {
            yield return At("name", $"The name '{migration.Name}' is not made of letters, digits, _, - and . (at most 100).");
        }

        if (string.IsNullOrWhiteSpace(migration.Description))
        {
            yield return At("description", "The description is missing: say what the migration is for, to the people who run it.");
        }

        foreach (var problem in migration.Versions.Problems())
        {
            yield return At("versions", problem);
        }

        foreach (var parameter in migration.Parameters)
        {
            foreach (var problem in parameter.Problems())
            {
                yield return At($"parameters/{parameter.Name}", problem);
            }
        }

        foreach (var name in Repeated(migration.Parameters.Select(p => p.Name)))
        {
            yield return At("parameters", $"There are two parameters {name}.");
        }

        foreach (var code in migration.Code.Where(c => c.UndoAsync is null == !c.Irreversible))
        {
            yield return At("code", code.Irreversible
                ? $"The code {code.Name} has an undo and is irreversible: leave out one of them."
                : $"Nothing undoes the code {code.Name}: add an undo, or say irreversible if there is no way back.");
        }

        foreach (var name in Repeated(migration.Code.Select(c => c.Name)))
        {
            yield return At("code", $"There are two pieces of code {name}.");
        }

        foreach (var name in Repeated(migration.Checks.Select(c => c.Name)))
        {
            yield return At("checks", $"There are two checks {name}.");
        }

        if (migration.HealthcheckInterval < TimeSpan.FromSeconds(1) || migration.HealthcheckInterval > SqlStatements.LongestTimeout)
        {
            yield return At("healthcheckInterval", $"The healthchecks are less than a second or more than {SqlStatements.LongestTimeout.Days} days apart.");
        }

        DefinitionProblem At(string part, string message) => new(migration.Where(part), message);
    }

    /// <summary>The problems of definitions that are loaded together.</summary>
    public static IEnumerable<DefinitionProblem> OfAll(IReadOnlyList<Migration> migrations)
    {
        var byName = migrations.ToLookup(m => m.Name, StringComparer.Ordinal);
        foreach (var same in byName.Where(g => g.Count() > 1))
        {
            foreach (var migration in same.Skip(1))
            {
                yield return new(migration.Where("name"), $"The name {migration.Name} is taken by {same.First().Where("name")}.");
            }
        }

        foreach (var migration in migrations)
        {
            foreach (var name in migration.DependsOn.Where(name => !byName.Contains(name)))
            {
                yield return new(migration.Where("dependsOn"), $"{migration.Name} depends on {name}, and there is no migration of that name.");
            }
        }

        foreach (var cycle in Cycles(byName))
        {
            yield return new(byName[cycle[0]].First().Where("dependsOn"), $"These migrations wait for each other: {string.Join(" → ", cycle.Append(cycle[0]))}.");
        }
    }

    // Depth first; a name that is met again on the way to itself closes a cycle, told once, from its first name on.
    private static List<IReadOnlyList<string>> Cycles(ILookup<string, Migration> migrations)
    {
        List<IReadOnlyList<string>> cycles = [];
        HashSet<string> done = new(StringComparer.Ordinal);
        List<string> path = [];
        void Visit(string name)
        {
            if (path.IndexOf(name) is >= 0 and var start)
            {
                cycles.Add(path[start..]);
                return;
            }

            if (migrations[name].FirstOrDefault() is { } migration && !done.Contains(name))
            {
                path.Add(name);
                foreach (var dependency in migration.DependsOn)
                {
                    Visit(dependency);
                }

                path.RemoveAt(path.Count - 1);
                done.Add(name);
            }
        }

        foreach (var name in migrations.Select(g => g.Key).Order(StringComparer.Ordinal))
        {
            Visit(name);
        }

        return cycles;
    }

    /// <summary>Whether a migration can be called so.</summary>
    public static bool IsName(string name) => NameForm().IsMatch(name);

    private static IEnumerable<string> Repeated(IEnumerable<string> names) =>
        names.GroupBy(n => n, StringComparer.Ordinal).Where(g => g.Count() > 1).Select(g => g.Key);

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}\z")]
    private static partial Regex NameForm();
}
