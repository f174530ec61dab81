using Godwit.ClickHouse;
using Godwit.Operations;

namespace Godwit.Rebuild;

/// <summary>What all steps of a rebuild share; stored with the plan.</summary>
public sealed record RebuildSpec : IOperationSpec
{
    /// <summary>The table being rebuilt.</summary>
    public required QualifiedName Source { get; init; }

    /// <summary>Its UUID when the plan was made.</summary>
    public required Guid SourceUuid { get; init; }

    /// <summary>Its replacement; after the cutover this name stands for the retired table.</summary>
    public required QualifiedName Staging { get; init; }

    /// <summary>The source's definition when the plan was made.</summary>
    public required TableDefinition From { get; init; }

    /// <summary>The definition that is wanted.</summary>
    public required TableDefinition To { get; init; }

    /// <summary>How rows of the old table become rows of the new one.</summary>
    public required IReadOnlyList<ColumnMapping> Forward { get; init; }

    /// <summary>How rows of the new table become rows of the old one, for a rollback after the cutover.</summary>
    public required IReadOnlyList<ColumnMapping> Backward { get; init; }

    /// <summary>The new partition expression as far as it can be computed from the old table's rows; null for one group.</summary>
    public string? ForwardPartition { get; init; }

    /// <summary>The same the other way round.</summary>
    public string? BackwardPartition { get; init; }

    /// <summary>Whether rows that arrive during the run reach the new table by the block log, or by a second consumer.</summary>
    public required bool FollowsWrites { get; init; }

    /// <summary>Whether partitions that change during the run are copied again whole: see <see cref="WholeCopier"/>.</summary>
    public bool IsWhole { get; init; }

    /// <summary>Whether the server exchanges names in one instant and tells tables apart by UUIDs; otherwise it renames one after the other.</summary>
    public bool Exchanges { get; init; } = true;

    /// <summary>Whether both tables have the same partitions.</summary>
    public bool KeepsPartitions { get; init; }

    /// <summary>Whether every value of the old table can be had from the new one.</summary>
    public bool KeepsValues { get; init; }

    /// <summary>Whether rows are hashed as servers before 25.1 can do it.</summary>
    public bool HashesTexts { get; init; }

    /// <summary>The name of the old table after the cutover.</summary>
    public QualifiedName Retired => Exchanges ? Staging : Staging with { Table = $"{Staging.Table}_r" };

    /// <summary>The Kafka tables that write to the source and stand still while the names change hands (pause-feed).</summary>
    public IReadOnlyList<QualifiedName> Queues { get; init; } = [];

    /// <summary>What is detached for that: the Kafka tables, or their views, where the server cannot detach the tables for good.</summary>
    public IReadOnlyList<QualifiedName> Held { get; init; } = [];

    /// <summary>The consumer that fills the new table by itself (second-consumer); null for all other strategies.</summary>
    public SecondConsumer? Second { get; init; }

    /// <summary>MATERIALIZED columns of <see cref="To"/> that the new table gets after the copy: see <see cref="LateColumns"/>.</summary>
    public IReadOnlyList<string> Late { get; init; } = [];

    /// <summary>What pauses all writers while the names change hands (pause-feed); null when nothing is called for it.</summary>
    public WriterHooks? Hooks { get; init; }

    /// <summary>How the table becomes the one that is wanted.</summary>
    public required RebuildWay Way { get; init; }

    /// <summary>Whether the merges of the source stand still during the whole run because they would fold new rows into old blocks.</summary>
    public bool HoldsMerges { get; init; }

    /// <summary>Whether rows are compared as FINAL shows them, because merges may have removed superseded rows on one side only.</summary>
    public bool ComparesFinal { get; init; }

    /// <summary>Whether a rollback after the cutover loses nothing; false when merges of the new table fold what arrives.</summary>
    public bool CanRollBackAfterCompletion { get; init; }

    /// <summary>The checks whose refusal somebody has accepted by name, such as <c>view-race</c>.</summary>
    public IReadOnlyList<string> Accepted { get; init; } = [];

    /// <summary>Whether something is held or paused while the names change hands.</summary>
    internal bool PausesFeed => Held.Count > 0 || Hooks is not null;

    // Brakes hold what puts work on the table that its writers use.
    QualifiedName? IOperationSpec.BrakedTable => Source;

    // An ALTER leaves no old table behind.
    bool IOperationSpec.LeavesRetired => Way != RebuildWay.Alter;

    /// <summary>The old table's rows into the new one.</summary>
    /// <param name="exchanged">Whether the names have changed hands already.</param>
    public Direction ForwardDirection(bool exchanged) =>
        new("forward", exchanged ? Staging : Source, exchanged ? Source : Staging, To, Forward, ForwardPartition) { HashesTexts = HashesTexts };

    /// <summary>The new table's rows into the old one.</summary>
    /// <param name="exchanged">Whether the new table still has the source's name.</param>
    public Direction BackwardDirection(bool exchanged) =>
        new("backward", exchanged ? Source : Staging, exchanged ? Staging : Source, From, Backward, BackwardPartition) { HashesTexts = HashesTexts };

    /// <summary>A short table name that says whose it is and fits into a file name, however long the source's name is.</summary>
    public static QualifiedName StagingName(QualifiedName source, string runId)
    {
        // Every character outside [A-Za-z0-9_] takes three bytes per UTF-8 byte in ClickHouse's file names, which end at 255.
        var budget = 120;
        var kept = source.Table.EnumerateRunes()
            .TakeWhile(r => (budget -= r.IsAscii && (char.IsAsciiLetterOrDigit((char)r.Value) || r.Value == '_') ? 1 : 3 * r.Utf8SequenceLength) >= 0);
        return source with { Table = $"{string.Concat(kept)}_godwit_{runId}" };
    }
}

/// <summary>What is called so that the writers of a table pause and go on.</summary>
/// <param name="Pause">Makes them pause; see <see cref="RebuildRequest.PauseHook"/>.</param>
/// <param name="Resume">Lets them go on.</param>
/// <param name="Timeout">How long each of the two may take.</param>
public sealed record WriterHooks(string Pause, string Resume, TimeSpan Timeout);

/// <summary>One way to move rows between the two tables of a rebuild.</summary>
/// <param name="Name"><c>forward</c> or <c>backward</c>; part of the names of its journal facts.</param>
/// <param name="From">The table that is read.</param>
/// <param name="To">The table that parts are attached to.</param>
/// <param name="ToDefinition">The definition of <paramref name="To"/>.</param>
/// <param name="Mapping">How rows become other rows.</param>
/// <param name="PartitionBy">The partition expression of <paramref name="To"/> for fingerprints; null for one group.</param>
public sealed record Direction(
    string Name, QualifiedName From, QualifiedName To, TableDefinition ToDefinition, IReadOnlyList<ColumnMapping> Mapping, string? PartitionBy)
{
    /// <summary>See <see cref="RebuildSpec.HashesTexts"/>.</summary>
    public bool HashesTexts { get; init; }

    /// <summary>The columns of the target that get values, as a list for SQL.</summary>
    public string Columns => string.Join(", ", Mapping.Select(m => Sql.Identifier(m.Target)));

    /// <summary>The SQL that fingerprints both sides.</summary>
    public FingerprintSql Fingerprint => new(Mapping, PartitionBy) { HashesTexts = HashesTexts };

    /// <summary>A condition over the target's columns, as one over the table that is read: columns of another type are cast first.</summary>
    public string OverSource(string condition)
    {
        var words = SqlText.Tokens(condition).Where(t => t.Kind != SqlText.TokenKind.String).Select(t => SqlText.Unquote(condition[t.Start..t.End])).ToHashSet(StringComparer.Ordinal);
        var cast = Mapping.Where(m => m.Expression != Sql.Identifier(m.Target) && words.Contains(m.Target)).ToList();

        // The parameters of a lambda hide the columns of the same name; an alias would be taken for the column, or the column for it.
        return cast.Count == 0
            ? condition
            : $"arrayExists(({string.Join(", ", cast.Select(m => Sql.Identifier(m.Target)))}) -> {condition}, {string.Join(", ", cast.Select(m => $"[{m.Expression}]"))})";
    }
}
