using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>A set of rows that is copied as one: all of it arrives, or none.</summary>
/// <param name="Name">Its name in the journal, unique within the run.</param>
/// <param name="Direction">From where to where.</param>
/// <param name="Condition">Which rows: SQL over the table that is read.</param>
/// <param name="Tuning">How the statement runs.</param>
/// <param name="IsSweep">Whether the table it goes to has writers of its own by now.</param>
/// <param name="Verify">Whether these rows stand still on the side that is read, so that both sides can be compared at once.</param>
internal sealed record Chunk(string Name, Direction Direction, string Condition, CopyTuning Tuning, bool IsSweep, bool Verify);

/// <summary>A part of a landing table.</summary>
/// <param name="Partition">Its partition id.</param>
/// <param name="Rows">Its rows.</param>
/// <param name="Hash">The hash of all its files; an attached part is a hard link and has the same.</param>
internal sealed record LandedPart(string Partition, long Rows, string Hash);

/// <summary>The journal's fact that a landing table is filled.</summary>
internal sealed record CopiedFact(Fingerprints Fingerprints, IReadOnlyList<LandedPart> Parts);

/// <summary>The journal's fact that the parts are about to be attached: which parts of the same content were there before.</summary>
internal sealed record AttachingFact(IReadOnlyList<string> Before);

/// <summary>The journal's fact that a chunk has arrived.</summary>
/// <param name="Fingerprints">What arrived.</param>
/// <param name="Blocks">The positions that its parts were given.</param>
internal sealed record AttachedFact(Fingerprints Fingerprints, IReadOnlyList<long> Blocks);

/// <summary>
/// Copies chunks through a landing table: fill it, fingerprint what is written while it is written, attach its parts by hard link.
/// Whatever is cut off while the table is filled is thrown away and done again; whether parts were attached is found out from the
/// parts themselves. Merges of the table that parts are attached to must be held, so that these parts keep their identity.
/// </summary>
internal sealed class ChunkCopier(StepContext context, QualifiedName landing)
{
    private readonly QualifiedName _view = HelperTables.ViewOf(landing);
    private readonly QualifiedName _digest = HelperTables.DigestOf(landing);
    private bool _isPrepared;

    /// <summary>When parts were attached last, as a timestamp of the context's clock.</summary>
    public long AttachedAt { get; private set; }

    /// <summary>Makes the landing table ahead of time, for a chunk that must be quick.</summary>
    public async Task PrepareAsync(Direction direction, bool isSweep, CancellationToken ct)
    {
        await PrepareLandingAsync(direction, isSweep, ct);
        _isPrepared = true;
    }

    /// <summary>Copies a chunk, or finishes copying it, or finds that it has been copied.</summary>
    public async Task<AttachedFact> CopyAsync(Chunk chunk, CancellationToken ct)
    {
        if (context.Journal.Find<AttachedFact>($"attached/{chunk.Name}") is { } done)
        {
            // The process that copied it may have died before it dropped the landing table, whose hard links keep disk space.
            _isPrepared = false;
            await DropLandingAsync(ct);
            return done;
        }

        if (!_isPrepared)
        {
            // A statement of an earlier attempt may still be at work: nothing can be concluded while it is.
            await LongStatement.KillOwnAsync(context, ct);
        }

        var copied = context.Journal.Find<CopiedFact>($"copied/{chunk.Name}");
        if (copied is not null && !await LandingHoldsAsync(copied, ct))
        {
            await WithdrawAsync(chunk, copied, ct);
            copied = null;
        }

        copied ??= await FillAsync(chunk, ct);
        var attached = await AttachAsync(chunk, copied, ct);
        if (chunk is { IsSweep: true, Verify: true })
        {
            // Writers and readers wait for a sweep, so it is compared when its rows can be seen.
            await VerifyAsync(chunk, copied, ct);
        }

        await DropLandingAsync(ct);
        return attached;
    }

    private async Task<CopiedFact> FillAsync(Chunk chunk, CancellationToken ct)
    {
        for (var tuning = chunk.Tuning; ;)
        {
            try
            {
                if (!_isPrepared)
                {
                    await PrepareLandingAsync(chunk.Direction, chunk.IsSweep, ct);
                }

                _isPrepared = false;
                await InsertAsync(chunk, tuning, ct);
                break;
            }
            catch (ClickHouseException e) when (e.Code == ClickHouseErrorCodes.MemoryLimitExceeded && tuning.Smaller() is not null)
            {
                tuning = tuning.Smaller()!;
            }
        }

        var copied = new CopiedFact(await ReadViewAsync(ct), await ReadPartsAsync(ct));
        if (chunk is { IsSweep: false, Verify: true })
        {
            await VerifyAsync(chunk, copied, ct);
        }

        await context.Journal.FactAsync($"copied/{chunk.Name}", copied);
        return copied;
    }

    private async Task PrepareLandingAsync(Direction direction, bool isSweep, CancellationToken ct)
    {
        await DropLandingAsync(ct);
        var definition = direction.Name == "forward" ? LateColumns.Present(context, context.Shared<RebuildSpec>()) : direction.ToDefinition;
        await context.ChangeAsync(
            "create-landing",
            [
                definition.ToSql(landing, HelperTables.Landing(isSweep)),

                // Not a hidden table of the view's own: a server that dies between the two leaves one that nobody can tell is ours.
                $"CREATE TABLE {_digest.ToSql()} (godwit_p String, godwit_c UInt64, godwit_s UInt64, godwit_m UInt64) ENGINE = Memory",
                $"CREATE MATERIALIZED VIEW {_view.ToSql()} TO {_digest.ToSql()} AS {direction.Fingerprint.Select(landing.ToSql())}",
            ],
            HelperTables.CreateSettings(definition),
            ct);
    }

    private async Task InsertAsync(Chunk chunk, CopyTuning tuning, CancellationToken ct)
    {
        var direction = chunk.Direction;
        var expressions = string.Join(", ", direction.Mapping.Select(m => m.Expression));
        var sql = $"INSERT INTO {landing.ToSql()} ({direction.Columns}) SELECT {expressions} FROM {direction.From.ToSql()} WHERE {chunk.Condition}";
        await (context.Operation.Lanes?.RunAsync(SendAsync, ct) ?? SendAsync());

        async Task SendAsync()
        {
            await context.Journal.IntentAsync($"copy/{chunk.Name}", new { sql });
            var began = context.Clock.GetTimestamp();
            await LongStatement.RunAsync(context, sql, tuning.Settings(), rows => context.Board.Report(context.Step.Index, rows), ct);
            if (tuning.RowsPerSecond is { } limit)
            {
                // The server lets the first moments of a statement pass, which is all there is of a small one.
                var due = TimeSpan.FromSeconds((double)(await ReadViewAsync(ct)).Rows / limit) - context.Clock.GetElapsedTime(began);
                await Task.Delay(due > TimeSpan.Zero ? due : TimeSpan.Zero, context.Clock, ct);
            }
        }
    }

    private async Task<Fingerprints> ReadViewAsync(CancellationToken ct) =>
        FingerprintSql.Read(await context.Gateway.QueryAsync($"SELECT * FROM {_digest.ToSql()}", ct: ct));

    private async Task VerifyAsync(Chunk chunk, CopiedFact copied, CancellationToken ct)
    {
        var direction = chunk.Direction;
        var source = FingerprintSql.Read(await context.Gateway.QueryAsync(
            direction.Fingerprint.Select(direction.Fingerprint.Mapped(direction.From.ToSql(), chunk.Condition)),
            new QueryOptions { Settings = CopyTuning.ReadSettings, Timeout = Timeout.InfiniteTimeSpan },
            ct));
        if (source.Difference(copied.Fingerprints) is { Count: > 0 } partitions)
        {
            throw new StepFailedException(
                $"Rows of {direction.From} changed while they were copied to {direction.To} (partition {partitions[0]}). "
                + (chunk.IsSweep ? "Compare both tables in this partition before you clean up." : "Nothing of this was put there; `resume` copies them again."));
        }
    }

    private async Task<IReadOnlyList<LandedPart>> ReadPartsAsync(CancellationToken ct)
    {
        var rows = await context.Gateway.QueryAsync(
            $"SELECT partition_id, rows, hash_of_all_files FROM system.parts WHERE {TableReader.Where(landing, "table")} AND active ORDER BY name", ct: ct);
        return rows.Select(r => new LandedPart(r["partition_id"], r.Int64("rows"), r["hash_of_all_files"])).ToList();
    }

    private async Task<bool> LandingHoldsAsync(CopiedFact copied, CancellationToken ct) => (await ReadPartsAsync(ct)).SequenceEqual(copied.Parts);

    private async Task<AttachedFact> AttachAsync(Chunk chunk, CopiedFact copied, CancellationToken ct)
    {
        var ours = await AttachedPartsAsync(chunk, copied, ct);
        if (ours.Count != copied.Parts.Count)
        {
            await DropPartsAsync(chunk, ours, ct);
            await context.Journal.FactAsync($"attaching/{chunk.Name}", new AttachingFact(await SamePartsAsync(chunk, copied, ct)));
            await context.ChangeAsync(
                $"attach/{chunk.Name}",
                copied.Parts.Count == 0 ? [] : [$"ALTER TABLE {chunk.Direction.To.ToSql()} ATTACH PARTITION ALL FROM {landing.ToSql()}"],
                null,
                ct);
            AttachedAt = context.Clock.GetTimestamp();
            ours = await AttachedPartsAsync(chunk, copied, ct);
        }

        if (ours.Count != copied.Parts.Count)
        {
            throw new StepFailedException(
                $"{copied.Parts.Count} parts were attached to {chunk.Direction.To}, but {ours.Count} of them are there: something else changes this table. "
                + "Find out what merges or drops its parts, then `resume`.");
        }

        var attached = new AttachedFact(copied.Fingerprints, chunk.IsSweep ? await BlocksAsync(chunk, ours, ct) : []);
        await context.Journal.FactAsync($"attached/{chunk.Name}", attached);
        return attached;
    }

    /// <summary>Parts of this chunk that are in the target: of its content, and not there before it was attached.</summary>
    private async Task<IReadOnlyList<string>> AttachedPartsAsync(Chunk chunk, CopiedFact copied, CancellationToken ct)
    {
        if (context.Journal.Find<AttachingFact>($"attaching/{chunk.Name}") is not { } attaching)
        {
            return [];
        }

        return (await SamePartsAsync(chunk, copied, ct)).Except(attaching.Before, StringComparer.Ordinal).ToList();
    }

    // Parts that a merge has replaced count, too: the server keeps them for minutes, and an OPTIMIZE that somebody sends to the table
    // merges parts within moments of their arrival, whatever its settings say.
    private async Task<IReadOnlyList<string>> SamePartsAsync(Chunk chunk, CopiedFact copied, CancellationToken ct)
    {
        if (copied.Parts.Count == 0)
        {
            return [];
        }

        var rows = await context.Gateway.QueryAsync(
            $"""
             SELECT name FROM system.parts WHERE {TableReader.Where(chunk.Direction.To, "table")}
                 AND hash_of_all_files IN ({string.Join(", ", copied.Parts.Select(p => Sql.Literal(p.Hash)).Distinct())})
             """,
            ct: ct);
        return rows.Select(r => r["name"]).ToList();
    }

    private async Task<IReadOnlyList<long>> BlocksAsync(Chunk chunk, IReadOnlyList<string> parts, CancellationToken ct)
    {
        if (parts.Count == 0)
        {
            return [];
        }

        var rows = await context.Gateway.QueryAsync(
            $"""
             SELECT min_block_number FROM system.parts WHERE {TableReader.Where(chunk.Direction.To, "table")}
                 AND name IN ({string.Join(", ", parts.Select(Sql.Literal))})
             """,
            ct: ct);
        return rows.Select(r => r.Int64("min_block_number")).ToList();
    }

    // Only some of the parts arrived, or the landing table is gone: take back what arrived and begin again.
    private async Task WithdrawAsync(Chunk chunk, CopiedFact copied, CancellationToken ct) =>
        await DropPartsAsync(chunk, await AttachedPartsAsync(chunk, copied, ct), ct);

    private async Task DropPartsAsync(Chunk chunk, IReadOnlyList<string> parts, CancellationToken ct)
    {
        if (parts.Count > 0)
        {
            await RequireUnmergedAsync(chunk, parts, ct);
            await context.ChangeAsync(
                $"withdraw/{chunk.Name}",
                ct,
                parts.Select(p => $"ALTER TABLE {chunk.Direction.To.ToSql()} DROP PART {Sql.Literal(p)}").ToArray());
        }
    }

    // Rows of a part that has been merged cannot be taken back, and attaching the chunk again would double them.
    private async Task RequireUnmergedAsync(Chunk chunk, IReadOnlyList<string> parts, CancellationToken ct)
    {
        var merged = await context.Gateway.QueryAsync(
            $"""
             SELECT name FROM system.parts WHERE {TableReader.Where(chunk.Direction.To, "table")} AND NOT active
                 AND name IN ({string.Join(", ", parts.Select(Sql.Literal))})
             """,
            ct: ct);
        if (merged.Count > 0)
        {
            throw new NeedsOperatorException(
                $"Some rows of {chunk.Name} were put into {chunk.Direction.To} and merged there (part {merged[0]["name"]}) before the rest could follow, so they cannot be "
                + $"told from others any more. The whole set is in {chunk.Direction.From}, where {chunk.Condition}.");
        }
    }

    /// <summary>Drops the landing table, which may have been prepared, now or before a crash, for rows that never came.</summary>
    public Task DropLandingAsync(CancellationToken ct) => HelperTables.DropAsync(context, ct, _view, _digest, landing);
}
