using Godwit.ClickHouse;

namespace Godwit.Rebuild;

/// <summary>
/// What a set of rows adds up to, whatever their order: two sets with the same fingerprint hold the same rows. Fingerprints of
/// disjoint sets add up to the fingerprint of their union. All sums wrap at 64 bits, here as on the server.
/// </summary>
/// <param name="Count">How many rows.</param>
/// <param name="Sum">Sum of the rows' hashes.</param>
/// <param name="Mixed">Sum of the hashes of the hashes: two errors that cancel out in <paramref name="Sum"/> do not here.</param>
public readonly record struct Fingerprint(long Count, ulong Sum, ulong Mixed)
{
    /// <summary>The union of two disjoint sets.</summary>
    public static Fingerprint operator +(Fingerprint a, Fingerprint b) => unchecked(new(a.Count + b.Count, a.Sum + b.Sum, a.Mixed + b.Mixed));

    /// <summary>The union of two disjoint sets.</summary>
    public static Fingerprint Add(Fingerprint left, Fingerprint right) => left + right;
}

/// <summary>The fingerprints of a table's rows by the target's partition value, as text.</summary>
public sealed class Fingerprints : Dictionary<string, Fingerprint>
{
    /// <summary>An empty set.</summary>
    public Fingerprints()
        : base(StringComparer.Ordinal)
    {
    }

    /// <summary>Rows of all partitions.</summary>
    public long Rows => Values.Sum(f => f.Count);

    /// <summary>Adds the rows of another, disjoint set.</summary>
    public void Add(Fingerprints other)
    {
        foreach (var (partition, fingerprint) in other)
        {
            this[partition] = this.GetValueOrDefault(partition) + fingerprint;
        }
    }

    /// <summary>The partitions in which the two differ.</summary>
    public IReadOnlyList<string> Difference(Fingerprints other) =>
        Keys.Union(other.Keys).Where(p => this.GetValueOrDefault(p) != other.GetValueOrDefault(p)).Order(StringComparer.Ordinal).ToList();
}

/// <summary>The SQL of a fingerprint: one text for both sides, so that they cannot differ in what they hash.</summary>
/// <param name="Mapping">The columns that both sides have.</param>
/// <param name="PartitionBy">The target's partition expression; null for one group.</param>
public sealed record FingerprintSql(IReadOnlyList<ColumnMapping> Mapping, string? PartitionBy)
{
    /// <summary>See <see cref="RebuildSpec.HashesTexts"/>.</summary>
    public bool HashesTexts { get; init; }

    /// <summary>The hash of one row, over the target's columns.</summary>
    public string Hash => $"cityHash64({string.Join(", ", Mapping.Select(m => HashesTexts ? m.HashTexts() : m.HashArguments()))})";

    /// <summary>The query over anything that has the target's columns: a table name or a subquery in brackets.</summary>
    public string Select(string from)
    {
        return PartitionBy is null
            ? $"SELECT '' AS godwit_p, count() AS godwit_c, sum({Hash} AS godwit_h) AS godwit_s, sum(intHash64(godwit_h)) AS godwit_m FROM {from}"
            : $"SELECT toString(tuple({PartitionBy}) AS godwit_k) AS godwit_p, count() AS godwit_c, sum({Hash} AS godwit_h) AS godwit_s, "
                + $"sum(intHash64(godwit_h)) AS godwit_m FROM {from} GROUP BY godwit_k";
    }

    /// <summary>Rows of the source as rows of the target, as a subquery in brackets.</summary>
    /// <param name="source">The table, with FINAL and PREWHERE where they are wanted.</param>
    /// <param name="condition">A WHERE condition over the source; null for all rows.</param>
    public string Mapped(string source, string? condition)
    {
        var columns = string.Join(", ", Mapping.Select(m => $"{m.Expression} AS {Sql.Identifier(m.Target)}"));
        return $"(SELECT {columns} FROM {source}{(condition is null ? "" : $" WHERE {condition}")})";
    }

    /// <summary>Reads the answer of <see cref="Select"/>, or what a view has collected of it.</summary>
    public static Fingerprints Read(IEnumerable<Row> rows)
    {
        Fingerprints result = [];
        foreach (var row in rows)
        {
            var one = new Fingerprint(row.Int64("godwit_c"), row.UInt64("godwit_s"), row.UInt64("godwit_m"));
            if (one.Count > 0)
            {
                result[row["godwit_p"]] = result.GetValueOrDefault(row["godwit_p"]) + one;
            }
        }

        return result;
    }
}
