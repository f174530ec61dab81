using Godwit.Hooks;
using Godwit.Plans;
using Godwit.Steps;

namespace Godwit.Rebuild;

/// <summary>The steps of a rebuild in order, and the sentences that explain them.</summary>
internal static class PlanText
{
    /// <summary>Why this way was taken.</summary>
    public static IEnumerable<string> Reasons(RebuildDraft draft, RebuildSpec spec)
    {
        foreach (var change in draft.Changes)
        {
            yield return change.ToString();
        }

        yield return spec.Way switch
        {
            RebuildWay.Alter => "ClickHouse can make these changes in place, so they are ALTERs and no row is copied.",
            RebuildWay.Link => "Only the engine changes, so the parts are linked into the new table and no row is copied.",
            _ => $"ClickHouse has no ALTER for {string.Join(", ", draft.Changes.Where(c => c.Alter is null).Select(c => c.What).DefaultIfEmpty("all of this together"))}, "
                + "so the rows are copied into a new table, which then takes over the name.",
        };
        if (draft.Way == RebuildWay.Alter)
        {
            foreach (var change in draft.Changes.Where(c => DestroysValues(draft, c)))
            {
                var what = change.What == "TTL" ? "the server deletes what the new TTL has expired" : change.After is null ? $"dropping {change.What} destroys its values" : $"{change.What} loses values";
                yield return $"Point of no return: {what}. Use --strategy block-log for a copy that can be rolled back.";
            }

            yield break;
        }

        foreach (var sentence in spec.IsWhole ? WholeReasons(spec) : [FollowingReason(spec)])
        {
            yield return sentence;
        }

        foreach (var sentence in draft.Feed.Sentences(spec.Source))
        {
            yield return sentence;
        }

        if (spec.Held.Count > 0)
        {
            yield return $"{string.Join(", ", spec.Held)} {(spec.Held.Count == 1 ? "is" : "are")} detached for the moment in which the names change hands, {Plain.Time(draft.Options.PauseBudget)} at most, and attached again however that ends. "
                + $"Kafka keeps what arrives meanwhile; everything else that {(spec.Held.Count == 1 ? "it feeds" : "they feed")} stands still as well.";
        }

        if (spec.Second is { } pair)
        {
            yield return $"{pair.Queue} is the second Kafka table from the cutover on; nothing is held. The first one fills the old table until the clean-up, so that a rollback is another exchange of names, and is dropped with it.";
            if (pair.Spread is { } spread)
            {
                yield return $"{spread} stands between, and {HelperTables.Spread(spec)} before the new table. Both consumers end the blocks that they are at before the names change hands: new rows come later by one flush interval at most.";
            }
        }

        if (draft.Request.MaterializeLater)
        {
            yield return spec.Late.Count > 0
                ? $"{string.Join(", ", spec.Late)} {(spec.Late.Count == 1 ? "is" : "are")} not copied: the new table gets {(spec.Late.Count == 1 ? "it" : "them")} after the copy and computes {(spec.Late.Count == 1 ? "it" : "them")} when old rows are read, until a merge stores the values."
                : "There is no MATERIALIZED column that could come after the copy: keys, indexes or other columns are made of them.";
        }

        if (spec.Hooks is { } hooks)
        {
            yield return $"Writers are paused for that moment by {Hook.Of(hooks.Pause).Shown}, {Plain.Time(draft.Options.PauseBudget)} at most, and go on by {Hook.Of(hooks.Resume).Shown} however it ends. "
                + $"Each may take {Plain.Time(hooks.Timeout)}, and is called again when it is not known what came of it.";
        }

        if (!spec.CanRollBackAfterCompletion)
        {
            yield return $"After the cutover there is no way back without loss, because merges of {draft.TargetEngine.Name} fold new rows into old ones. "
                + "Use --defer-cutover to look at the result first.";
        }
    }

    private static string FollowingReason(RebuildSpec spec) => spec.Second is { } second
        ? $"Kafka fills the new table, too, by a consumer group of its own ({second.SecondGroup}) that begins where {second.FirstGroup} stands; both tables are told apart and compared by {string.Join(", ", second.Identity)}."
        : spec.FollowsWrites
        ? "Writers go on all the time: new rows are found by their block number and copied in rounds, before and after the names change hands."
        : "Nothing may write during the run (strategy static); that nothing did is checked before and after the exchange.";

    private static IEnumerable<string> WholeReasons(RebuildSpec spec)
    {
        yield return spec.PausesFeed
            ? "New rows cannot be told from old ones here, so partitions that change while they are copied are copied again whole, the last of them while the feed is held: "
                + "it is held for longer, the more rows the partitions have that are written to."
            : $"Partitions of {spec.Source} that change while they are copied are copied again whole. While the names change hands nothing may write (strategy static); what does is found, and the names are given back.";
        if (!spec.Exchanges)
        {
            yield return $"The server cannot exchange two names in one instant. It renames one table after the other: between the two there is no {spec.Source}, and a query that meets this moment fails.";
        }

        if (!spec.KeepsValues)
        {
            yield return "Not every value of the old table can be had from the new one: after the cutover there is a way back for as long as nothing is written to the new table.";
        }
    }

    /// <summary>Whether an ALTER for this change destroys, or may destroy, what cannot be brought back.</summary>
    public static bool DestroysValues(RebuildDraft draft, TableChange change) =>
        change is { What: "TTL", After: not null }
        || (change.What.StartsWith("column ", StringComparison.Ordinal)
            && (change.After is null || (change.Before is not null && draft.Request.Accept.Contains("column-cast", StringComparer.Ordinal))));

    /// <summary>The steps in order.</summary>
    public static IReadOnlyList<PlannedStep> Steps(RebuildDraft draft, RebuildSpec spec, string node)
    {
        List<PlannedStep> steps = [];
        void Add(string kind, string description, object? arguments = null, long? rows = null, long? bytes = null) => steps.Add(new PlannedStep
        {
            Index = steps.Count,
            Kind = kind,
            Node = node,
            Description = description,
            Arguments = PlanFormat.ToElement(arguments ?? new { }),
            RowsTotal = rows,
            BytesTotal = bytes,
        });

        if (draft.Way == RebuildWay.Alter)
        {
            if (draft.Options.DeferCutover)
            {
                Add(AwaitCutover.Name, "Wait for `godwit cutover`");
            }

            foreach (var change in draft.Changes)
            {
                Add(AlterTable.Name, $"ALTER TABLE {spec.Source} {change.Alter}", new AlterArguments([change.Alter!], change.Undo is null ? [] : [change.Undo]) { Destroys = DestroysValues(draft, change) });
            }

            return steps;
        }

        if (spec.FollowsWrites)
        {
            Add(EnableBlockLog.Name, $"Let {spec.Source} keep the positions of its rows");
        }

        if (spec.HoldsMerges)
        {
            Add(HoldMerges.Name, $"Hold the merges of {spec.Source}");
        }

        Add(CreateStaging.Name, $"Create {spec.Staging}");
        if (spec.Second is { } second)
        {
            Add(CreateConsumer.Name, $"Let Kafka fill {spec.Staging}, too, by {HelperTables.Queue(spec)} in group {second.SecondGroup}");
        }

        AddBase(draft, spec, Add);
        if (spec.Late.Count > 0)
        {
            Add(AddColumns.Name, $"Give {spec.Staging} the columns {string.Join(", ", spec.Late)}");
        }

        if (!spec.IsWhole)
        {
            Add(spec.Second is null ? Verify.Name : CompareConsumers.Name, $"Compare {spec.Source} and {spec.Staging}");
        }

        if (draft.Options.DeferCutover)
        {
            Add(AwaitCutover.Name, "Wait for `godwit cutover`");
        }

        if (spec.Second is { } pair)
        {
            Add(ExchangeConsumers.Name, $"Exchange the names of {spec.Source} and {spec.Staging}, and of {pair.Queue} and {HelperTables.Queue(spec)}");
            return steps;
        }

        if (spec.IsWhole)
        {
            Add(PausedCutOver.Name, $"{Beginning(spec, "copy")} what has changed, and give the name {spec.Source} to the new table");
            return steps;
        }

        Add(CutOver.Name, $"{Beginning(spec, "exchange")} the names of {spec.Source} and {spec.Staging}, then move over what writers still put into the old table");
        return steps;
    }

    private static string Beginning(RebuildSpec spec, string verb)
    {
        List<string> parts = [];
        if (spec.Hooks is not null)
        {
            parts.Add("Pause the writers");
        }

        if (spec.Held.Count > 0)
        {
            parts.Add($"{(parts.Count > 0 ? "hold" : "Hold")} {string.Join(", ", spec.Held)}");
        }

        return parts.Count > 0 ? $"{string.Join(", ", parts)}, {verb}" : $"{char.ToUpperInvariant(verb[0])}{verb[1..]}";
    }

    private static void AddBase(RebuildDraft draft, RebuildSpec spec, Action<string, string, object?, long?, long?> add)
    {
        if (spec.IsWhole)
        {
            foreach (var partition in draft.Source.Partitions)
            {
                add(CopyWholePartition.Name, $"Copy partition {partition.Value}", new PartitionArguments(partition.Id), partition.Rows, partition.UncompressedBytes);
            }

            return;
        }

        // Links come before the position is marked: what they take is known only afterwards.
        if (spec.Way != RebuildWay.Link)
        {
            add(MarkPosition.Name, $"Mark the position in {spec.Source}", null, null, null);
        }

        if (spec.Second is not null)
        {
            add(MarkOverlap.Name, $"Note which rows up to there reach {spec.Staging} by Kafka as well", null, null, null);
        }

        foreach (var partition in draft.Source.Partitions)
        {
            var kind = spec.Way == RebuildWay.Link ? LinkPartition.Name : CopyPartition.Name;
            var verb = spec.Way == RebuildWay.Link ? "Link" : "Copy";
            add(kind, $"{verb} partition {partition.Value}", new PartitionArguments(partition.Id), partition.Rows, partition.UncompressedBytes);
        }

        if (spec.Way == RebuildWay.Link)
        {
            add(MarkPosition.Name, $"Mark the position in {spec.Source}", null, null, null);
        }

        if (spec.FollowsWrites && spec.Second is null)
        {
            add(CatchUp.Name, "Copy what arrived meanwhile", null, null, null);
        }
    }
}
