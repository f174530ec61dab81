using System.Text.Json;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Runs;
using Godwit.Steps;

namespace Godwit.Operations;

/// <summary>A kind of operation, as far as a run must know it: everything else about it is in its steps.</summary>
/// <param name="Name">The name by which plans call it.</param>
/// <param name="Read">Reads what its steps share.</param>
/// <param name="CleanUpAsync">Ends the rollback window: removes what was kept for it. May be called again after it was cut off anywhere.</param>
internal sealed record OperationKind(string Name, Func<JsonElement, IOperationSpec?> Read, Func<StepContext, CancellationToken, Task> CleanUpAsync);

/// <summary>Every kind of operation that there is.</summary>
internal static class OperationCatalog
{
    /// <summary>Rebuilds a table.</summary>
    public const string Rebuild = "rebuild";

    /// <summary>Calls code of the migration.</summary>
    public const string Code = "code";

    /// <summary>Counts the rows of two tables.</summary>
    public const string Compare = "compare";

    /// <summary>Copies rows in batches.</summary>
    public const string Copy = "copy";

    /// <summary>Makes a table, a view or a dictionary.</summary>
    public const string Create = "create";

    /// <summary>Detaches or attaches a view.</summary>
    public const string Detach = "detach";

    /// <summary>Takes a table, a view or a dictionary away.</summary>
    public const string Drop = "drop";

    /// <summary>Links the rows of a table into another one.</summary>
    public const string Link = "link";

    /// <summary>Changes rows where they are.</summary>
    public const string Mutation = "mutation";

    /// <summary>Sends SQL.</summary>
    public const string Sql = "sql";

    /// <summary>Moves, replaces or drops a partition.</summary>
    public const string Partition = "partition";

    /// <summary>Sends SQL to PostgreSQL.</summary>
    public const string PostgreSql = "postgresql";

    /// <summary>Gives tables other names.</summary>
    public const string Rename = "rename";

    private static readonly Dictionary<string, OperationKind> Kinds = new OperationKind[]
    {
        new(Compare, shared => shared.Deserialize<PlainSpec>(PlanFormat.Json), NothingAsync),
        new(Copy, shared => shared.Deserialize<CopySpec>(PlanFormat.Json), NothingAsync),
        new(Create, shared => shared.Deserialize<PlainSpec>(PlanFormat.Json), NothingAsync),
        new(Detach, shared => shared.Deserialize<PlainSpec>(PlanFormat.Json), NothingAsync),
        new(Drop, shared => shared.Deserialize<DropSpec>(PlanFormat.Json), DropObject.CleanUpAsync),
        new(Link, shared => shared.Deserialize<LinkSpec>(PlanFormat.Json), NothingAsync),
        new(Mutation, shared => shared.Deserialize<MutationSpec>(PlanFormat.Json), NothingAsync),
        new(Rebuild, shared => shared.Deserialize<RebuildSpec>(PlanFormat.Json), CleanUp.RunAsync),
        new(Code, shared => shared.Deserialize<CodeSpec>(PlanFormat.Json), NothingAsync),
        new(Partition, shared => shared.Deserialize<PartitionSpec>(PlanFormat.Json), ChangePartition.CleanUpAsync),
        new(PostgreSql, shared => shared.Deserialize<PlainSpec>(PlanFormat.Json), NothingAsync),
        new(Rename, shared => shared.Deserialize<PlainSpec>(PlanFormat.Json), NothingAsync),
        new(Sql, shared => shared.Deserialize<PlainSpec>(PlanFormat.Json), NothingAsync),
    }.ToDictionary(k => k.Name, StringComparer.Ordinal);

    /// <summary>The operation of that kind.</summary>
    /// <exception cref="StoredFormatException">This build knows no such kind.</exception>
    public static OperationKind Get(string kind) => Kinds.TryGetValue(kind, out var operation)
        ? operation
        : throw new StoredFormatException($"The stored plan has an operation '{kind}' that this Godwit does not know. Use the version that started this run.");

    private static Task NothingAsync(StepContext context, CancellationToken ct) => Task.CompletedTask;
}
