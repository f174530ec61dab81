using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>The journal's facts that a partition of the target is being, and has been, emptied to be copied again whole.</summary>
internal sealed record ClearedFact(string Partition, IReadOnlyList<string> Ids);

/// <summary>The journal's fact that both sides held the same rows up to a position.</summary>
internal sealed record VerifiedFact(long Position, long Rows, int Repaired);

/// <summary>
/// The gate: the rows of the source, read anew, must be the rows that were written to the target, partition by partition. What
/// differs is copied again whole and compared again; what still differs then is a refusal.
/// </summary>
internal sealed class Verifier(StepContext context, RebuildSpec spec, Direction direction)
{
    private readonly Follower _follower = new(context, spec, direction);

    /// <summary>Compares, repairs and compares again.</summary>
    /// <exception cref="StepFailedException">A difference stays.</exception>
    public async Task VerifyAsync(CancellationToken ct)
    {
        await FinishRepairAsync(ct);
        long? position = null;
        if (spec.FollowsWrites)
        {
            await _follower.CatchUpAsync(rounds: 5, ct);
            position = _follower.Position;
        }

        context.Board.Activity = "verifying";
        var differences = await DifferencesAsync(position, ct);
        var repaired = differences.Count;
        foreach (var partition in differences)
        {
            context.Board.Activity = $"copying partition {partition} again: its rows changed in place";
            await RepairAsync(partition, position, ct);
        }

        if (repaired > 0 && await DifferencesAsync(position, ct) is [var stays, ..])
        {
            throw new StepFailedException(
                $"{direction.From} and {direction.To} differ in partition {stays} even after it was copied again, so the names were not exchanged. "
                + "Rows of this partition change while they are read (mutations, TTL, dropped parts): let that end, then `resume`.");
        }

        await context.Journal.FactAsync($"verified/{direction.Name}", new VerifiedFact(position ?? 0, Written().Rows, repaired));
    }

    /// <summary>
    /// The gate for linked parts, whose files were compared when they were linked: rows by rows of whole parts, so that its time does
    /// not grow with the rows.
    /// </summary>
    /// <exception cref="StepFailedException">The counts differ, or rows may have changed in place.</exception>
    public async Task VerifyLinksAsync(bool suspect, CancellationToken ct)
    {
        for (var attempt = 0; attempt < 20 && !suspect; attempt++)
        {
            if (spec.FollowsWrites)
            {
                await _follower.CatchUpAsync(rounds: 5, ct);
            }

            var position = spec.FollowsWrites ? _follower.Position : long.MaxValue;
            var row = (await context.Gateway.QueryAsync(
                $"""
                 SELECT sumIf(rows, max_block_number <= {position}) AS whole,
                     countIf(min_block_number <= {position} AND max_block_number > {position}) AS torn,
                     (SELECT sum(rows) FROM system.parts WHERE {TableReader.Where(direction.To, "table")} AND active) AS present
                 FROM system.parts WHERE {TableReader.Where(direction.From, "table")} AND active
                 """,
                ct: ct))[0];
            if (row.Int64("torn") == 0 && row.Int64("whole") == row.Int64("present"))
            {
                await context.Journal.FactAsync($"verified/{direction.Name}", new VerifiedFact(position, row.Int64("present"), 0));
                return;
            }
        }

        throw new StepFailedException(
            $"Rows of {direction.From} changed in place or vanished while its parts were linked, so {direction.To} is not the same table. "
            + "`rollback`, then start again when mutations and dropped partitions are done.");
    }

    /// <summary>What the journal says was written to the target.</summary>
    public Fingerprints Written()
    {
        var facts = context.Journal.All<AttachedFact>("attached/").Where(f => BelongsHere(f.Name)).Select(f => (f.Sequence, Attached: (AttachedFact?)f.Value, Cleared: (string?)null))
            .Concat(context.Journal.All<ClearedFact>($"cleared/{direction.Name}/").Select(f => (f.Sequence, Attached: (AttachedFact?)null, Cleared: (string?)f.Value.Partition)))
            .OrderBy(f => f.Sequence);
        Fingerprints written = [];
        foreach (var (_, attached, cleared) in facts)
        {
            if (cleared is not null)
            {
                written.Remove(cleared);
            }
            else
            {
                written.Add(attached!.Fingerprints);
            }
        }

        return written;
    }

    private static string UpTo(long? position) => position is null ? "1" : $"_block_number <= {position}";

    private bool BelongsHere(string fact) => fact.StartsWith($"attached/{direction.Name}-", StringComparison.Ordinal);

    private async Task<IReadOnlyList<string>> DifferencesAsync(long? position, CancellationToken ct)
    {
        if (spec.ComparesFinal)
        {
            var old = await FingerprintsAsync(direction.Fingerprint.Mapped($"{direction.From.ToSql()} FINAL{(position is null ? "" : $" PREWHERE {UpTo(position)}")}", null), ct);
            var present = await FingerprintsAsync($"{direction.To.ToSql()} FINAL", ct);
            return old.Difference(present);
        }

        var source = await FingerprintsAsync(direction.Fingerprint.Mapped(direction.From.ToSql(), UpTo(position)), ct);
        var written = Written();
        await RequireRowsAsync(written.Rows, ct);
        return source.Difference(written);
    }

    // The fingerprints of the target were taken while it was written; that these rows are still there is asked of its parts.
    private async Task RequireRowsAsync(long rows, CancellationToken ct)
    {
        var present = await context.Gateway.ScalarAsync<long>(
            $"SELECT sum(rows) FROM system.parts WHERE {TableReader.Where(direction.To, "table")} AND active", ct: ct);
        if (present != rows)
        {
            throw new StepFailedException(
                $"{direction.To} holds {present} rows, but {rows} were written to it: something else changes this table. "
                + "Nothing but Godwit may write to it; `rollback` and start again.");
        }
    }

    private async Task<Fingerprints> FingerprintsAsync(string from, CancellationToken ct) =>
        FingerprintSql.Read(await context.Gateway.QueryAsync(
            direction.Fingerprint.Select(from),
            new QueryOptions
            {
                QueryId = context.Services.NewQueryId(context.Step.Index),
                Settings = new Dictionary<string, string>(CopyTuning.ReadSettings, StringComparer.Ordinal)
                {
                    ["cancel_http_readonly_queries_on_client_close"] = "1",
                    ["apply_prewhere_after_final"] = "0",
                },
                Timeout = Timeout.InfiniteTimeSpan,
            },
            ct));

    private async Task ClearAsync(int number, ClearedFact clearing, CancellationToken ct)
    {
        if (clearing.Ids.Count > 0)
        {
            await context.ChangeAsync(
                "clear-partition",
                clearing.Ids.Select(id => $"ALTER TABLE {direction.To.ToSql()} DROP PARTITION ID {Sql.Literal(id)}").ToList(),
                new Dictionary<string, string>(StringComparer.Ordinal) { ["max_partition_size_to_drop"] = "0" },
                ct);
        }

        await context.Journal.FactAsync($"cleared/{direction.Name}/{number}", clearing);
    }

    // Cut off while a partition was emptied or copied again: how much of it is there is not known, and the fingerprints do not count it.
    // Emptied, it is found to differ and copied again.
    private async Task FinishRepairAsync(CancellationToken ct)
    {
        var cleared = context.Journal.All<ClearedFact>($"cleared/{direction.Name}/");
        var clearing = context.Journal.Find<ClearedFact>($"clearing/{direction.Name}/{cleared.Count + 1}");
        var isCutOff = cleared.Count > 0 && !context.Journal.Has($"attached/{direction.Name}-repair-{cleared.Count}");
        if (clearing is null && !isCutOff)
        {
            return;
        }

        // A statement that attaches its parts may still be at work.
        await LongStatement.KillOwnAsync(context, ct);
        if (clearing is not null)
        {
            await ClearAsync(cleared.Count + 1, clearing, ct);
        }
        else
        {
            await ClearAsync(cleared[^1].Value.Partition, ct);
        }
    }

    private string IsPartition(string partition) =>
        direction.PartitionBy is null ? "1" : $"toString(tuple({direction.PartitionBy})) = {Sql.Literal(partition)}";

    private async Task<int> ClearAsync(string partition, CancellationToken ct)
    {
        var ids = await context.Gateway.QueryAsync($"SELECT DISTINCT _partition_id AS id FROM {direction.To.ToSql()} WHERE {IsPartition(partition)}", ct: ct);
        var number = context.Journal.All<ClearedFact>($"cleared/{direction.Name}/").Count + 1;
        var clearing = new ClearedFact(partition, ids.Select(r => r["id"]).ToList());
        await context.Journal.FactAsync($"clearing/{direction.Name}/{number}", clearing);
        await ClearAsync(number, clearing, ct);
        return number;
    }

    private async Task RepairAsync(string partition, long? position, CancellationToken ct)
    {
        var number = await ClearAsync(partition, ct);
        var tuning = CopyTuning.For(await ServerResources.ReadAsync(context.Gateway, context.Options, ct), context.Options, 1, long.MaxValue);
        await new ChunkCopier(context, HelperTables.Landing(spec, context.Step.Index)).CopyAsync(
            new Chunk($"{direction.Name}-repair-{number}", direction, $"({direction.OverSource(IsPartition(partition))}) AND {UpTo(position)}", tuning, IsSweep: false, Verify: false), ct);
    }
}
