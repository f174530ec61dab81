using System.Security.Cryptography;

namespace Godwit.Plans;

/// <summary>What one operation contributes to a plan; its steps are numbered from 0.</summary>
internal sealed record OperationPlan(PlannedOperation Operation, IReadOnlyList<PlannedStep> Steps)
{
    /// <summary>See <see cref="Plan.Reasons"/>.</summary>
    public IReadOnlyList<string> Reasons { get; init; } = [];

    /// <summary>The table that it rebuilds, as a person reads it; null when it rebuilds none.</summary>
    public string? Table { get; init; }

    /// <summary>See <see cref="Plan.Strategy"/>.</summary>
    public string? Strategy { get; init; }
}

/// <summary>Puts a plan together.</summary>
internal static class PlanBuilder
{
    private const string Letters = "abcdefghijkmnpqrstuvwxyz23456789";

    /// <summary>A new run's id: it is known before the plan, because helper tables are named after it.</summary>
    public static string NewRunId() => RandomNumberGenerator.GetString(Letters, 8);

    /// <summary>The plan of these operations.</summary>
    public static Plan Build(string runId, string migration, IReadOnlyList<OperationPlan> operations) => new()
    {
        RunId = runId,
        Migration = migration,
        Tables = operations.Select(o => o.Table).OfType<string>().Distinct(StringComparer.Ordinal).ToList(),
        Strategy = operations.Select(o => o.Strategy).OfType<string>().Distinct(StringComparer.Ordinal).ToList() is { Count: > 0 } all ? string.Join(", ", all) : null,
        Reasons = [.. operations.SelectMany(o => o.Reasons), .. operations.Where(o => o.Operation.Irreversible).Select(o => $"Point of no return: \"{o.Operation.Description}\" cannot be undone.")],
        Operations = operations.Select(o => o.Operation).ToList(),
        Steps = operations.SelectMany((o, number) => o.Steps.Select(s => s with { Operation = number })).Select((s, index) => s with { Index = index }).ToList(),
    };
}
