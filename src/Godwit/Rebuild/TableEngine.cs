namespace Godwit.Rebuild;

/// <summary>What the merges of an engine do to rows.</summary>
public enum RowFolding
{
    /// <summary>Nothing: a merge keeps every row.</summary>
    None,

    /// <summary>Of the rows of one key the one with the highest version is kept, whatever the order of merges.</summary>
    LatestVersion,

    /// <summary>Rows of one key become other rows (sums, states, cancelled pairs, or the one that came last).</summary>
    Any,
}

/// <summary>An engine clause, understood as far as its merges matter.</summary>
/// <param name="Name">The engine's name, such as <c>ReplacingMergeTree</c>.</param>
/// <param name="Arguments">Its arguments in order.</param>
public sealed record TableEngine(string Name, IReadOnlyList<string> Arguments)
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "MergeTree", "ReplacingMergeTree", "SummingMergeTree", "AggregatingMergeTree", "CollapsingMergeTree", "VersionedCollapsingMergeTree",
    };

    /// <summary>Whether it is one of the engines that Godwit rebuilds.</summary>
    public bool IsSupported => Known.Contains(Name);

    /// <summary>Whether it keeps its data in parts, in one of its many variants.</summary>
    public bool IsMergeTree => Name.EndsWith("MergeTree", StringComparison.Ordinal);

    /// <summary>What its merges do to rows.</summary>
    public RowFolding Folding => Name switch
    {
        "MergeTree" => RowFolding.None,
        "ReplacingMergeTree" when Arguments.Count == 1 => RowFolding.LatestVersion,
        _ => RowFolding.Any,
    };

    /// <summary>Whether the rows of one insert are folded into others before they are stored, so that nobody can tell what was inserted.</summary>
    public bool MakesRows => Name is "SummingMergeTree" or "AggregatingMergeTree";

    /// <summary>Reads an engine clause.</summary>
    public static TableEngine Parse(string clause)
    {
        var (open, close) = (clause.IndexOf('(', StringComparison.Ordinal), clause.LastIndexOf(')'));
        return open < 0 || close < open
            ? new TableEngine(clause.Trim(), [])
            : new TableEngine(clause[..open].Trim(), SqlText.SplitByComma(clause[(open + 1)..close]));
    }

    /// <summary>Reads what system.tables has as <c>engine_full</c>, of an engine without keys: the engine, and its settings behind it.</summary>
    /// <returns>The settings begin with <c> SETTINGS</c>; empty for none.</returns>
    internal static (TableEngine Engine, string Settings) ParseFull(string clause)
    {
        var end = SqlText.Tokens(clause).Where(t => t.Depth == 0 && t.IsWord(clause, "SETTINGS")).Select(t => t.Start - 1).FirstOrDefault(clause.Length);
        return (Parse(clause[..end]), clause[end..]);
    }
}
