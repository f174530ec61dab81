using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Steps;

namespace Godwit.Operations;

/// <summary>Gives tables, views or dictionaries other names, all in one statement; undone by giving them back.</summary>
/// <remarks>
/// A later pair may take a name that an earlier one has freed, as when a new table takes the place of an old one. Where the server renames one
/// after the other and is cut off in between, the rest is done when the step is tried again.
/// </remarks>
/// <param name="Tables">What is renamed, in order.</param>
public sealed record RenameOperation(IReadOnlyList<Renaming> Tables) : Operation
{
    /// <summary>On which nodes.</summary>
    public NodeScope Scope { get; init; }

    /// <summary>Keeps the old table of an earlier rebuild of the same migration for good: the clean-up drops it no more.</summary>
    /// <param name="table">The table that is rebuilt.</param>
    /// <param name="name">The name under which its old rows stay.</param>
    public static RenameOperation KeepOld(QualifiedName table, QualifiedName name) => new([new Renaming(table, name) { IsOld = true }]);

    internal override IEnumerable<string> Problems() =>
    [
        .. Tables.Count == 0 ? ["Nothing is renamed: say which names become which."] : Array.Empty<string>(),
        .. Twice(Tables.Where(t => !t.IsOld).Select(t => t.From)).Select(n => $"{n} is renamed twice."),
        .. Twice(Tables.Select(t => t.To)).Select(n => $"Two things would be called {n}."),

        // Otherwise what is there would not tell which of them were renamed already.
        .. Tables.Where((t, i) => Tables.Take(i + 1).Any(earlier => earlier.To == t.From && !t.IsOld)).Select(t => $"{t.From} would be taken before it is free: let the pair that renames it come first, and rename nothing twice."),
    ];

    internal override async Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct)
    {
        if (Tables.FirstOrDefault(t => t.IsOld && !draft.OldTables.ContainsKey(t.From)) is { } never)
        {
            return draft.WithoutOldTable("rename", never.From.ToString());
        }

        var renamed = Tables.Select(t => new RenamedTable(t.IsOld ? draft.OldTables[t.From] : t.From, t.To)).ToList();
        var description = Description ?? $"Rename {string.Join(", ", Tables.Select(t => $"{(t.IsOld ? "the old " : "")}{t.From} to {t.To}"))}";
        var steps = await draft.StepsAsync(Scope, RenameTables.Name, description, new RenameArguments(renamed), ct);
        List<CheckResult> checks = [];
        foreach (var step in steps)
        {
            foreach (var taken in renamed.Select(r => r.To).Except(renamed.Select(r => r.From)).Except(draft.Freed))
            {
                checks.AddRange(await TableReader.FindEngineAsync(draft.Gateway.At(step.Node), taken, ct) is { } engine
                    ? [new CheckResult("rename", CheckVerdict.Refused, $"{taken} is there already on {step.Node} (engine {engine}): drop it, or take another name.")]
                    : []);
            }
        }

        draft.Freed.UnionWith(renamed.Select(r => r.From));
        draft.Freed.ExceptWith(renamed.Select(r => r.To));
        var operation = new PlannedOperation { Kind = OperationCatalog.Rename, Description = description, Shared = PlanFormat.ToElement(new PlainSpec(false)) };
        return new OperationProposal(checks.Count > 0 ? null : new OperationPlan(operation, steps), checks);
    }

    private static IEnumerable<QualifiedName> Twice(IEnumerable<QualifiedName> names) => names.GroupBy(n => n).Where(g => g.Count() > 1).Select(g => g.Key);
}

/// <summary>A name that becomes another one.</summary>
/// <param name="From">The present name.</param>
/// <param name="To">The new name, which is free or freed by an earlier pair.</param>
public sealed record Renaming(QualifiedName From, QualifiedName To)
{
    /// <summary>Whether <see cref="From"/> is a table that an earlier operation of the migration rebuilds, and its old table is meant.</summary>
    internal bool IsOld { get; init; }
}
