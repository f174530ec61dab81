using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Steps;

namespace Godwit.Operations;

/// <summary>What becomes of a partition.</summary>
public enum PartitionAction
{
    /// <summary>Its parts go to another table; undone by moving them back.</summary>
    Move,

    /// <summary>Its rows give way to those that the partition has in another table. The old rows are kept until the clean-up.</summary>
    Replace,

    /// <summary>Its rows are taken away, and kept until the clean-up.</summary>
    Drop,
}

/// <summary>Moves, replaces or drops a partition. Only links to files are made and removed, so its size does not matter.</summary>
/// <param name="Action">What becomes of it.</param>
/// <param name="Table">The table that it is in.</param>
/// <param name="Partition">The partition's id, as system.parts shows it.</param>
public sealed record PartitionOperation(PartitionAction Action, QualifiedName Table, string Partition) : Operation
{
    /// <summary>The table that a partition is moved to, or replaced from; null when it is dropped. It has the same columns and keys.</summary>
    public QualifiedName? Other { get; init; }

    internal override IEnumerable<string> Problems() =>
    [
        .. string.IsNullOrWhiteSpace(Partition) ? ["The partition's id is missing; SELECT DISTINCT partition_id FROM system.parts shows them."] : Array.Empty<string>(),
        .. Other is null && Action != PartitionAction.Drop ? [Action == PartitionAction.Move ? "Where the partition is moved to is missing." : "What the partition is replaced from is missing."] : Array.Empty<string>(),
        .. Other == Table ? [$"Both tables are {Table}."] : Array.Empty<string>(),
    ];

    internal override async Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct)
    {
        var spec = new PartitionSpec(Action, Table, Partition, Other, HelperTables.Kept(RebuildSpec.StagingName(Table, draft.RunId)));
        var problems = await ProblemsAsync(draft.Gateway, ct);
        if (problems.Count > 0)
        {
            return new OperationProposal(null, problems.Select(p => new CheckResult("partition", CheckVerdict.Refused, p)).ToList());
        }

        var description = Description ?? Action switch
        {
            PartitionAction.Move => $"Move partition {Partition} of {Table} to {Other}",
            PartitionAction.Replace => $"Replace partition {Partition} of {Table} from {Other}",
            _ => $"Drop partition {Partition} of {Table}",
        };
        var operation = new PlannedOperation { Kind = OperationCatalog.Partition, Description = description, Shared = PlanFormat.ToElement(spec) };
        return new OperationProposal(new OperationPlan(operation, [draft.Step(ChangePartition.Name, description, new { })]), await draft.MissingAsync(new[] { Table, Other }.OfType<QualifiedName>(), ct));
    }

    private async Task<IReadOnlyList<string>> ProblemsAsync(ClickHouseGateway gateway, CancellationToken ct)
    {
        List<string> problems = [];
        List<TableSnapshot> tables = [];
        foreach (var name in new[] { Table, Other }.OfType<QualifiedName>())
        {
            // A table that an earlier operation of the same plan makes is not there yet: the server compares the two when their time has come.
            if (await TableReader.FindEngineAsync(gateway, name, ct) is not { } engine)
            {
                continue;
            }

            if (!engine.EndsWith("MergeTree", StringComparison.Ordinal))
            {
                problems.Add($"{name} has the engine {engine}, which has no partitions.");
                continue;
            }

            tables.Add(await TableReader.ReadAsync(gateway, name, ct));
            if (Action != PartitionAction.Move && name == Table && engine.StartsWith("Replicated", StringComparison.Ordinal))
            {
                problems.Add($"{name} is replicated, so its rows cannot be kept aside on this node alone. Use `sql`, with an undo or `irreversible: true`.");
            }
        }

        if (tables is [var one, var other] && Difference(one, other) is { } difference)
        {
            problems.Add($"{one.Name} and {other.Name} differ in {difference}, so parts of the one do not fit into the other.");
        }

        if (Action == PartitionAction.Move && tables.Find(t => t.Name == Other)?.Partitions.FirstOrDefault(p => p.Id == Partition) is { Rows: > 0 } there)
        {
            problems.Add($"{Other} has {there.Rows} row(s) in partition {Partition} already, which a rollback could not tell from those that are moved.");
        }

        if (Action == PartitionAction.Replace && tables.Find(t => t.Name == Other) is { } source && !source.Partitions.Any(p => p.Id == Partition && p.Rows > 0))
        {
            problems.Add($"{Other} has no rows in partition {Partition}, so replacing would only empty it: use dropPartition if that is what is wanted.");
        }

        return problems;
    }

    private static string? Difference(TableSnapshot a, TableSnapshot b) => (a, b) switch
    {
        _ when !a.Columns.Select(c => (c.Name, c.Type)).SequenceEqual(b.Columns.Select(c => (c.Name, c.Type))) => "their columns",
        _ when a.PartitionKey != b.PartitionKey => "PARTITION BY",
        _ when a.SortingKey != b.SortingKey => "ORDER BY",
        _ when a.StoragePolicy != b.StoragePolicy => "their storage policies",
        _ => null,
    };
}

/// <summary>What the step of a <see cref="PartitionOperation"/> shares; see there.</summary>
/// <param name="Action">What becomes of the partition.</param>
/// <param name="Table">The table that it is in.</param>
/// <param name="Partition">Its id.</param>
/// <param name="Other">The table that it is moved to or replaced from.</param>
/// <param name="Kept">The table that holds rows for a rollback; all operations on <paramref name="Table"/> share it.</param>
internal sealed record PartitionSpec(PartitionAction Action, QualifiedName Table, string Partition, QualifiedName? Other, QualifiedName Kept) : IOperationSpec
{
    QualifiedName? IOperationSpec.BrakedTable => Table;

    bool IOperationSpec.CanRollBackAfterCompletion => true;

    bool IOperationSpec.LeavesRetired => Action != PartitionAction.Move;
}
