using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Runs;
using Godwit.Steps;

namespace Godwit.Operations;

/// <summary>ALTER … UPDATE, DELETE, MATERIALIZE and the like: what the server does in the background, followed to its end.</summary>
/// <remarks>
/// An equal mutation that is under way already is adopted and not sent a second time. A pause or a stop leaves the mutation to the server, since
/// nobody could tell which rows of a killed one are changed; a rollback kills it, and then sends the undo.
/// </remarks>
/// <param name="Table">The table.</param>
/// <param name="Command">What stands behind ALTER TABLE t, such as <c>UPDATE a = 1 WHERE b = 2</c>; several with commas.</param>
public sealed record MutationOperation(QualifiedName Table, string Command) : Operation
{
    /// <summary>The command that undoes it, also when only some parts were changed; empty when nothing has to be undone. Null when it is <see cref="Irreversible"/>.</summary>
    public string? Undo { get; init; }

    /// <summary>Whether there is no way back from it.</summary>
    public bool Irreversible { get; init; }

    /// <summary>On which nodes: <see cref="NodeScope.EachShard"/> for a replicated table, shards side by side.</summary>
    public NodeScope Scope { get; init; }

    /// <summary>Server settings of the ALTER.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    internal override IEnumerable<string> Problems() =>
    [
        .. string.IsNullOrWhiteSpace(Command) ? ["The command of a mutation is empty."] : Array.Empty<string>(),
        .. WayBack.Problems("mutation", Undo is not null, Irreversible),
    ];

    internal override async Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct)
    {
        var description = Description ?? StatementKind.Summary($"ALTER TABLE {Table} {Command}");
        List<CheckResult> checks = [];
        List<PlannedStep> steps = [];
        foreach (var step in await draft.StepsAsync(Scope, Mutate.Name, description, new { }, ct))
        {
            var (problem, arguments, rows) = await LookAsync(draft.Gateway.At(step.Node), ct);
            checks.AddRange(problem is null ? [] : [new CheckResult("mutation", CheckVerdict.Refused, problem)]);
            steps.Add(step with { Arguments = PlanFormat.ToElement(arguments), RowsTotal = rows });
        }

        var operation = new PlannedOperation
        {
            Kind = OperationCatalog.Mutation,
            Description = description,
            Irreversible = Irreversible,
            Shared = PlanFormat.ToElement(new MutationSpec(Table, Settings, Irreversible)),
        };
        return new OperationProposal(checks.Count > 0 ? null : new OperationPlan(operation, [.. draft.GoAhead(Irreversible, description), .. steps]), checks.Count > 0 ? checks : await draft.MissingAsync([Table], ct));
    }

    private async Task<(string? Problem, MutationArguments Arguments, long Rows)> LookAsync(ClickHouseGateway gateway, CancellationToken ct)
    {
        var arguments = new MutationArguments(Command, null, Undo, null);
        if (await TableReader.FindEngineAsync(gateway, Table, ct) is not { } engine)
        {
            // What an earlier operation of the same plan will make cannot be looked at yet.
            return (null, await FormatAsync(gateway, arguments, ct), 0);
        }

        try
        {
            return engine.EndsWith("MergeTree", StringComparison.Ordinal)
                ? (null, await FormatAsync(gateway, arguments, ct), (await TableReader.ReadPartitionsAsync(gateway, Table, ct)).Sum(p => p.Rows))
                : ($"{Table} on {gateway.Name} has the engine {engine}, which has no mutations: name the table that holds the rows.", arguments, 0);
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            return ($"{gateway.Name} cannot read a command for {Table}: {e.ServerMessage}", arguments, 0);
        }
    }

    private static async Task<MutationArguments> FormatAsync(ClickHouseGateway gateway, MutationArguments arguments, CancellationToken ct) => arguments with
    {
        Formatted = await Mutations.FormatAsync(gateway, arguments.Command, ct),
        UndoFormatted = string.IsNullOrWhiteSpace(arguments.Undo) ? null : await Mutations.FormatAsync(gateway, arguments.Undo, ct),
    };
}

/// <summary>What the steps of a <see cref="MutationOperation"/> share.</summary>
/// <param name="Table">The table.</param>
/// <param name="Settings">Server settings of the ALTER.</param>
/// <param name="Irreversible">See <see cref="MutationOperation.Irreversible"/>.</param>
internal sealed record MutationSpec(QualifiedName Table, IReadOnlyDictionary<string, string> Settings, bool Irreversible) : IOperationSpec
{
    QualifiedName? IOperationSpec.BrakedTable => Table;

    bool IOperationSpec.CanRollBackAfterCompletion => !Irreversible;

    bool IOperationSpec.LeavesRetired => false;
}
