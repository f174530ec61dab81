using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>Everything that is known when a rebuild is planned; what the checks look at.</summary>
internal sealed record RebuildDraft
{
    public required ClickHouseGateway Gateway { get; init; }

    public required Capabilities Capabilities { get; init; }

    public required RebuildRequest Request { get; init; }

    public required RunOptions Options { get; init; }

    /// <summary>The table as it is.</summary>
    public required TableSnapshot Source { get; init; }

    /// <summary>The table as it is to be; the source's own definition when only the table is being looked at.</summary>
    public required DesiredTable Desired { get; init; }

    /// <summary>What writes to the table.</summary>
    public required Feed Feed { get; init; }

    /// <summary>What a second consumer would be made of; null when none is asked for, or when it cannot be.</summary>
    public ConsumerDraft? Second { get; init; }

    /// <summary>Why there can be no second consumer, all of it; empty when there can be, or none is asked for.</summary>
    public IReadOnlyList<string> NoSecond { get; init; } = [];

    /// <summary>What differs.</summary>
    public required IReadOnlyList<TableChange> Changes { get; init; }

    /// <summary>How the rebuild goes.</summary>
    public required RebuildWay Way { get; init; }

    /// <summary>Columns of the target and where their values come from.</summary>
    public required IReadOnlyList<ColumnMapping> Mapping { get; init; }

    /// <summary>
    /// Whether partitions that change are copied again whole, because new rows cannot be told from old ones: the server keeps no block log, or merges
    /// fold rows that arrive into rows that were there, and the feed can be held.
    /// </summary>
    public bool IsWhole => Way != RebuildWay.Alter && (!Capabilities.HasBlockLog || (Request.Strategy is "auto" or "pause-feed" && CanPause && RebuildPlanner.FoldsRows(this)));

    /// <summary>Whether something can be held or paused while the names change hands.</summary>
    public bool CanPause => Feed.Held.Count > 0 || Request.PauseHook is not null;

    public TableEngine TargetEngine => TableEngine.Parse(Desired.Definition.Engine);

    /// <summary>Whether rows that were different before may be the same to the new engine.</summary>
    public bool ChangesIdentity =>
        TargetEngine.Folding != RowFolding.None && (Source.Engine.Folding == RowFolding.None || !SameKey(Source.SortingKey, Desired.SortingKey));

    /// <summary>Whether two sorting keys hold the same expressions, in any order.</summary>
    public static bool SameKey(string a, string b) =>
        SqlText.SplitByComma(a).Order(StringComparer.Ordinal).SequenceEqual(SqlText.SplitByComma(b).Order(StringComparer.Ordinal), StringComparer.Ordinal);
}

/// <summary>The ways in which a table can become another one, the cheapest first.</summary>
public enum RebuildWay
{
    /// <summary>ClickHouse changes it in place.</summary>
    Alter,

    /// <summary>Its parts are linked into a new table.</summary>
    Link,

    /// <summary>Its rows are copied into a new table.</summary>
    Copy,
}
