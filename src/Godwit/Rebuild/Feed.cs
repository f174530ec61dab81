using Godwit.ClickHouse;

namespace Godwit.Rebuild;

/// <summary>Something that writes to a table without being a statement: a queue that the server reads by itself, or a buffer that it flushes.</summary>
/// <param name="Table">The Kafka table, Buffer table and so on.</param>
/// <param name="Engine">Its engine.</param>
/// <param name="Through">The views and Distributed tables through which its rows come, from it to the table.</param>
public sealed record FeedSource(QualifiedName Table, string Engine, IReadOnlyList<QualifiedName> Through)
{
    /// <summary>Whether it feeds other views as well.</summary>
    public bool IsShared { get; init; }

    /// <summary>Whether it can be held: what it would have read is kept elsewhere until it goes on.</summary>
    public bool CanBeHeld => Engine == "Kafka";

    /// <summary>db.kafka_events (Kafka, through db.events_mv).</summary>
    public override string ToString() => Through.Count == 0 ? $"{Table} ({Engine})" : $"{Table} ({Engine}, through {string.Join(" and ", Through)})";
}

/// <summary>What writes to a table, as the server tells it.</summary>
public sealed record Feed
{
    /// <summary>What writes in the background.</summary>
    public required IReadOnlyList<FeedSource> Sources { get; init; }

    /// <summary>Tables whose inserts write here too, through materialized views and Distributed tables.</summary>
    public required IReadOnlyList<QualifiedName> Upstream { get; init; }

    /// <summary>INSERTs of the last day that named the table or one upstream; null when the server keeps no log.</summary>
    public FeedInserts? Inserts { get; init; }

    /// <summary>What is held while the names change hands.</summary>
    public IReadOnlyList<FeedSource> Held => [.. Sources.Where(s => s.CanBeHeld)];

    /// <summary>All of it in sentences, for the plan.</summary>
    public IEnumerable<string> Sentences(QualifiedName table)
    {
        foreach (var source in Sources)
        {
            yield return $"{source} writes to {table} in the background.";
        }

        if (Upstream.Count > 0)
        {
            yield return $"What is inserted into {string.Join(", ", Upstream)} arrives in {table} too.";
        }

        if (Inserts is { Count: > 0 } inserts)
        {
            yield return $"In the last day {Plain.Count(inserts.Count)} INSERTs of {inserts.Users} wrote to it, the last one at {Plain.Moment(inserts.Last)}.";
        }
        else if (Sources.Count + Upstream.Count == 0)
        {
            yield return Inserts is null ? "Nothing writes to it in the background; who inserts cannot be told, because the server keeps no query_log." : "No INSERT of the last day wrote to it.";
        }
    }
}

/// <summary>INSERTs that the query log knows.</summary>
/// <param name="Count">How many.</param>
/// <param name="Users">Whose, five at most, with commas.</param>
/// <param name="Last">When the last one ended (UTC).</param>
public sealed record FeedInserts(long Count, string Users, DateTimeOffset Last);
