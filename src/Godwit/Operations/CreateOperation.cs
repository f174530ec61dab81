using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Steps;

namespace Godwit.Operations;

/// <summary>Makes a table, a view or a dictionary; undone by dropping what it has made. One that is there already is never touched.</summary>
/// <param name="Ddl">The CREATE statement, with the database in the name.</param>
public sealed record CreateOperation(string Ddl) : Operation
{
    private static readonly string[] Kinds = ["TABLE", "DICTIONARY", "VIEW"];

    /// <summary>On which nodes.</summary>
    public NodeScope Scope { get; init; }

    internal override IEnumerable<string> Problems() => StatementKind.IsFilling(Ddl)
        ? ["A create makes something empty, since one that was cut off would be half full: leave out AS SELECT and POPULATE, and fill it with `copy` or `sql`."]
        : Read() is null
        ? ["A create needs a statement such as CREATE DICTIONARY app.names (…): CREATE, then TABLE, DICTIONARY, VIEW or MATERIALIZED VIEW, then database.name; without OR REPLACE and IF NOT EXISTS, since it must not be there yet."]
        : [];

    internal override async Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct)
    {
        var (kind, name) = Read()!.Value;
        var description = Description ?? $"Create {kind.ToLowerInvariant()} {name}";
        var steps = await draft.StepsAsync(Scope, CreateObject.Name, description, new CreateArguments(kind, name, Ddl), ct);
        List<CheckResult> checks = [];
        foreach (var step in steps.Where(_ => !draft.Freed.Contains(name)))
        {
            checks.AddRange(await TableReader.FindEngineAsync(draft.Gateway.At(step.Node), name, ct) is { } engine
                ? [new CheckResult("create", CheckVerdict.Refused, $"{name} is there already on {step.Node} (engine {engine}): drop it, or take another name.")]
                : []);
        }

        var operation = new PlannedOperation { Kind = OperationCatalog.Create, Description = description, Shared = PlanFormat.ToElement(new PlainSpec(false)) };
        return new OperationProposal(checks.Count > 0 ? null : new OperationPlan(operation, steps) { Reasons = kind == "TABLE" ? [$"A rollback of \"{description}\" drops it with all rows that it has by then."] : [] }, checks);
    }

    /// <summary>What is made, and its name; null when the statement does not say it in so many words.</summary>
    private (string Kind, QualifiedName Name)? Read()
    {
        var words = SqlText.Tokens(Ddl).Take(8).ToList();
        var at = words.Count > 1 && words[1].IsWord(Ddl, "MATERIALIZED") ? 2 : 1;
        if (words.Count <= at + 1 || !words[0].IsWord(Ddl, "CREATE") || Array.Find(Kinds, k => words[at].IsWord(Ddl, k)) is not { } kind)
        {
            return null;
        }

        // A bare name is one token with its dot, a quoted one is three.
        var end = words.Count > at + 3 && Ddl[words[at + 2].Start] == '.' ? words[at + 3].End : words[at + 1].End;
        return QualifiedName.TryParse(Ddl[words[at + 1].Start..end], out var name, out _) ? (kind, name) : null;
    }
}
