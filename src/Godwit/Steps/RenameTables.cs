using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>What a rename step renames.</summary>
/// <param name="Tables">The pairs, in order.</param>
internal sealed record RenameArguments(IReadOnlyList<RenamedTable> Tables);

/// <summary>A name that becomes another one.</summary>
/// <param name="From">The present name.</param>
/// <param name="To">The new name.</param>
internal sealed record RenamedTable(QualifiedName From, QualifiedName To);

/// <summary>
/// Gives tables other names in one statement. Not every server does that at once, so which of the pairs are done is read from the names that there
/// are, and only the others are sent.
/// </summary>
internal sealed class RenameTables : IStep
{
    public const string Name = "rename-tables";
    private const string Forward = "rename";
    private const string Undo = "rename-back";

    public string Kind => Name;

    public bool IsGated => true;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        if (context.Journal.IsDone(Forward))
        {
            return;
        }

        await LongStatement.KillOwnAsync(context, ct);
        var pairs = context.Arguments<RenameArguments>().Tables;
        var present = await PresentAsync(context, pairs, ct);
        if (context.Journal.FindOpen<object>(Forward) is null)
        {
            Require(context, pairs, present);
            await context.Journal.FactAsync(Renamed(context), pairs.Select(p => present[p.From]).ToList());
        }

        await RenameAsync(context, Forward, pairs, present, ct);
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        if (!context.Journal.IsDone(Forward) && context.Journal.FindOpen<object>(Forward) is null)
        {
            return;
        }

        await LongStatement.KillOwnAsync(context, ct);
        var pairs = context.Arguments<RenameArguments>().Tables;
        var back = pairs.Reverse().Select(p => new RenamedTable(p.To, p.From)).ToList();
        var present = await PresentAsync(context, back, ct);
        var renamed = context.Journal.Get<List<Guid>>(Renamed(context)).AsEnumerable().Reverse().ToList();
        foreach (var (pair, uuid) in back.Zip(renamed).Where(p => !IsDone(p.First, back, present)))
        {
            if (present.TryGetValue(pair.From, out var found) && found != uuid)
            {
                throw new StepFailedException($"{pair.From} on {context.Step.Node} is not what this run has called so. Move it out of the way, and give what was {pair.To} this name; then `rollback` again.");
            }
        }

        await RenameAsync(context, Undo, back, present, ct);
    }

    private static async Task RenameAsync(StepContext context, string name, IReadOnlyList<RenamedTable> pairs, Dictionary<QualifiedName, Guid> present, CancellationToken ct)
    {
        var left = pairs.Where(p => !IsDone(p, pairs, present)).ToList();
        if (left.Count > 0)
        {
            await context.ChangeAsync(name, ct, $"RENAME TABLE {string.Join(", ", left.Select(p => $"{p.From.ToSql()} TO {p.To.ToSql()}"))}");
        }
        else if (!context.Journal.IsDone(name))
        {
            await context.Journal.OutcomeAsync(name, new { foundIn = "tables" });
        }
    }

    /// <summary>A pair is done when its new name is there and its old one is not, or is what a later pair has called so.</summary>
    private static bool IsDone(RenamedTable pair, IReadOnlyList<RenamedTable> pairs, Dictionary<QualifiedName, Guid> present) =>
        present.ContainsKey(pair.To) && (!present.ContainsKey(pair.From) || pairs.Any(p => p.To == pair.From));

    private static void Require(StepContext context, IReadOnlyList<RenamedTable> pairs, Dictionary<QualifiedName, Guid> present)
    {
        var missing = pairs.Select(p => p.From).Where(n => !present.ContainsKey(n)).ToList();
        var taken = pairs.Select(p => p.To).Except(pairs.Select(p => p.From)).Where(present.ContainsKey).ToList();
        if (missing.Count + taken.Count > 0)
        {
            throw new StepFailedException(
                $"On {context.Step.Node} {(missing.Count > 0 ? $"there is no {string.Join(", ", missing)} to be renamed" : $"{string.Join(", ", taken)} is there already")}. Put that right and `resume`, or `rollback`.");
        }
    }

    /// <summary>The names that there are, each with its UUID; empty UUIDs on a server that is too old to have them.</summary>
    private static async Task<Dictionary<QualifiedName, Guid>> PresentAsync(StepContext context, IReadOnlyList<RenamedTable> pairs, CancellationToken ct)
    {
        Dictionary<QualifiedName, Guid> present = [];
        foreach (var name in pairs.SelectMany(p => new[] { p.From, p.To }).Distinct())
        {
            if (await TableReader.FindUuidAsync(context.Gateway, name, ct) is { } uuid)
            {
                present[name] = uuid;
            }
        }

        return present;
    }

    // Facts belong to the operation, whose steps are the nodes.
    private static string Renamed(StepContext context) => $"renamed/{context.Step.Index}";
}
