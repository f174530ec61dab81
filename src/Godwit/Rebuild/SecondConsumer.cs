using System.Text.RegularExpressions;
using Godwit.ClickHouse;
using Godwit.Kafka;

namespace Godwit.Rebuild;

/// <summary>A consumer group, a Kafka table and a view of its own, by which Kafka fills the new table beside the old one; stored with the plan.</summary>
public sealed partial record SecondConsumer
{
    /// <summary>The Kafka table that feeds the source.</summary>
    public required QualifiedName Queue { get; init; }

    /// <summary>Its UUID when the plan was made.</summary>
    public required Guid QueueUuid { get; init; }

    /// <summary>Where to ask for offsets, host:port each.</summary>
    public required IReadOnlyList<string> Brokers { get; init; }

    /// <summary>The topics.</summary>
    public required IReadOnlyList<string> Topics { get; init; }

    /// <summary>The group that feeds the source.</summary>
    public required string FirstGroup { get; init; }

    /// <summary>The group that feeds the new table.</summary>
    public required string SecondGroup { get; init; }

    /// <summary>The CREATE statement of the second Kafka table.</summary>
    public required string QueueSql { get; init; }

    /// <summary>The SELECT of the second view.</summary>
    public required string Select { get; init; }

    /// <summary>The Distributed table through which the view fills the source; null when it does so itself.</summary>
    public QualifiedName? Spread { get; init; }

    /// <summary>The CREATE statement of the second Distributed table; null when there is none.</summary>
    public string? SpreadSql { get; init; }

    /// <summary>The columns whose values tell a message from all others.</summary>
    public required IReadOnlyList<string> Identity { get; init; }

    /// <summary>Whether somebody accepted that both consumers may store other values for the same message, such as the time at which it was stored.</summary>
    public bool AcceptsValues { get; init; }

    /// <summary>The identity of a row, as SQL.</summary>
    internal string Id => Identity.Count == 1 ? Columns : $"({Columns})";

    /// <summary>Its columns, as a list for SQL.</summary>
    internal string Columns => string.Join(", ", Identity.Select(Sql.Identifier));

    /// <summary>A group's name for a run; what an earlier run has added to the first group's name goes.</summary>
    internal static string GroupFor(string group, string runId) => $"{Earlier().Replace(group, "")}_godwit_{runId}";

    [GeneratedRegex("_godwit_[a-z0-9]{8}$")]
    private static partial Regex Earlier();
}

/// <summary>What a second consumer would be made of.</summary>
/// <param name="Queue">The Kafka table that feeds the source.</param>
/// <param name="QueueUuid">Its UUID.</param>
/// <param name="View">The view through which it does.</param>
/// <param name="Spread">The Distributed table between the view and the source; null for none.</param>
/// <param name="Identity">The columns whose values tell a message from all others.</param>
internal sealed record ConsumerDraft(KafkaTable Queue, Guid QueueUuid, FedView View, DistributedTable? Spread, IReadOnlyList<string> Identity)
{
    /// <summary>What is frozen with the plan.</summary>
    public SecondConsumer Freeze(RebuildSpec spec, string runId, bool acceptsValues)
    {
        var (name, group) = (HelperTables.Queue(spec), SecondConsumer.GroupFor(Queue.Group, runId));
        return new SecondConsumer
        {
            Queue = Queue.Name,
            QueueUuid = QueueUuid,
            Brokers = Queue.Brokers,
            Topics = Queue.Topics,
            FirstGroup = Queue.Group,
            SecondGroup = group,
            QueueSql = Queue.CreateSql(name, group)!,
            Select = View.Over(Queue.Name, name)!,
            Spread = Spread?.Name,
            SpreadSql = Spread?.CreateSql(HelperTables.Spread(spec), spec.Staging),
            Identity = Identity,
            AcceptsValues = acceptsValues,
        };
    }
}
