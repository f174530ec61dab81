using Godwit.Plans;

namespace Godwit.Steps;

/// <summary>Every kind of step that there is.</summary>
internal static class StepCatalog
{
    private static readonly Dictionary<string, IStep> Steps = new IStep[]
    {
        new AddColumns(),
        new AlterTable(),
        new AwaitCutover(),
        new CatchUp(),
        new ChangePartition(),
        new CompareConsumers(),
        new CompareTables(),
        new CopyBatches(),
        new CopyPartition(),
        new CopyWholePartition(),
        new CreateConsumer(),
        new CreateObject(),
        new CreateStaging(),
        new CutOver(),
        new DetachView(),
        new DropObject(),
        new EnableBlockLog(),
        new ExchangeConsumers(),
        new HoldMerges(),
        new LinkPartition(),
        new LinkTable(),
        new MarkOverlap(),
        new MarkPosition(),
        new Mutate(),
        new PausedCutOver(),
        new RenameTables(),
        new RunCode(),
        new RunPostgreSql(),
        new RunSql(),
        new Verify(),
    }.ToDictionary(s => s.Kind, StringComparer.Ordinal);

    /// <summary>The step of that kind.</summary>
    /// <exception cref="StoredFormatException">This build knows no such kind.</exception>
    public static IStep Get(string kind) => Steps.TryGetValue(kind, out var step)
        ? step
        : throw new StoredFormatException($"The stored plan has a step '{kind}' that this Godwit does not know. Use the version that started this run.");
}
