using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Runs;
using Godwit.Steps;

namespace Godwit.Rebuild;

/// <summary>The journal's fact that rows which one consumer has not brought are being copied.</summary>
internal sealed record MissingFact(int Number, long UpTo);

/// <summary>
/// The gate of <c>second-consumer</c>. The base is compared by fingerprints, as everywhere; what came later, by the identity of rows, because each consumer
/// stores other blocks at other moments. A position of one table is read first; when the other table's group has then stored all that Kafka has, every
/// message before that position must be in the other table. What is not there never came by Kafka (somebody inserted it), or was lost by a consumer: it is
/// copied. Kafka brings a message at least once, so a consumer that was cut off may have stored one twice: such parts of the new table are
/// dropped before the cutover, and what was in them is copied from the other table.
/// </summary>
internal sealed class ConsumerComparison(StepContext context, RebuildSpec spec, Direction direction, bool exchanged)
{
    private const int MostAttempts = 5;

    private readonly SecondConsumer _second = spec.Second!;
    private readonly ConsumerOffsets _offsets = new(context, spec.Second!);

    private bool IsForward => direction.Name == "forward";

    private long Since => IsForward ? context.Journal.Get<long>(MarkPosition.BaseFact) : context.Journal.Get<long>(ExchangeConsumers.PositionFact);

    private QualifiedName Landing => HelperTables.Landing(spec, context.Step.Index);

    private string MissingName => $"missing/{direction.Name}";

    private string Overlap => $"(SELECT {_second.Columns} FROM {HelperTables.Overlap(spec).ToSql()})";

    // What came by the consumer that fills the table that is read, and whatever somebody inserted there.
    private string Stream => IsForward && !exchanged ? $"(_block_number > {Since} OR {_second.Id} IN {Overlap})" : $"_block_number > {Since}";

    /// <summary>The condition for the rows that are copied: those up to the marked position that the second consumer does not bring.</summary>
    public static string Base(StepContext context, RebuildSpec spec) =>
        $"_block_number <= {context.Journal.Get<long>(MarkPosition.BaseFact)} AND {spec.Second!.Id} NOT IN (SELECT {spec.Second.Columns} FROM {HelperTables.Overlap(spec).ToSql()})";

    /// <summary>Compares, and mends what differs.</summary>
    /// <param name="withBase">Whether what was copied is compared, too, which reads all of both tables.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="StepFailedException">A difference stays.</exception>
    public async Task CompareAsync(bool withBase, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            await BringMissingAsync(ct);
            var found = await LookAsync(ct);
            if (found is { Doubled: > 0 } && attempt < MostAttempts)
            {
                await DropDoubledAsync(found, ct);
            }
            else if (found is { Missing: 0 } || attempt == MostAttempts)
            {
                Judge(found);
                break;
            }
        }

        if (withBase)
        {
            await CompareBaseAsync(ct);
        }
    }

    /// <summary>Copies what the consumer of the other table has not brought, although it has read everything.</summary>
    /// <returns>How many rows.</returns>
    public async Task<long> BringMissingAsync(CancellationToken ct)
    {
        context.Board.Activity = "looking for rows that only one consumer has brought";
        var last = context.Journal.Find<MissingFact>(MissingName);
        if (last is not null && (!context.Journal.Has($"attached/{ChunkName(last)}") || await TableReader.FindEngineAsync(context.Gateway, Landing, ct) is not null))
        {
            // The process that copied it may have died before it dropped the landing table.
            await CopyAsync(last, ct);
        }

        var upTo = await Positions.ReadAsync(context, direction.From, 0, ct);
        await _offsets.WaitAsync(ct, IsForward ? _second.SecondGroup : _second.FirstGroup);
        if (await AskAsync<long>($"SELECT count() FROM {direction.From.ToSql()} WHERE {Missing(upTo)}", ct) == 0)
        {
            return 0;
        }

        var next = new MissingFact((last?.Number ?? 0) + 1, upTo);
        await context.Journal.FactAsync(MissingName, next);
        return await CopyAsync(next, ct);
    }

    private string ChunkName(MissingFact missing) => string.Create(CultureInfo.InvariantCulture, $"{direction.Name}-missing-{missing.Number}");

    private string Missing(long upTo)
    {
        var stream = $"{Stream} AND _block_number <= {upTo}";
        return $"{stream} AND {_second.Id} NOT IN (SELECT {_second.Columns} FROM {direction.To.ToSql()} WHERE {_second.Id} IN (SELECT {_second.Columns} FROM {direction.From.ToSql()} WHERE {stream}))";
    }

    // Both sides are compared afterwards; at once, the copied rows would not be missing any more.
    private async Task<long> CopyAsync(MissingFact missing, CancellationToken ct)
    {
        var tuning = CopyTuning.For(await ServerResources.ReadAsync(context.Gateway, context.Options, ct), context.Options, 1, long.MaxValue) with { RowsPerSecond = null };
        var attached = await new ChunkCopier(context, Landing).CopyAsync(
            new Chunk(ChunkName(missing), direction, Missing(missing.UpTo), tuning, IsSweep: exchanged, Verify: false), ct);
        return attached.Fingerprints.Rows;
    }

    private async Task<Found> LookAsync(CancellationToken ct)
    {
        var present = await Positions.LastAsync(context.Gateway, direction.To, ct);
        var upTo = await Positions.ReadAsync(context, direction.From, 0, ct);
        await _offsets.WaitAsync(ct, _second.FirstGroup, _second.SecondGroup);
        var row = (await context.Gateway.QueryAsync(
            $"""
             SELECT countIf(f_before > 0 AND t = 0) AS missing, countIf(t_before > f) AS doubled, countIf(f > 0 AND t > 0 AND NOT hasAll(t_hashes, f_hashes)) AS different,
                 anyIf(toString(godwit_i), f > 0 AND t > 0 AND NOT hasAll(t_hashes, f_hashes)) AS example, toInt64(sum(t_before)) - toInt64(sum(base)) AS brought,
                 (SELECT count() FROM {direction.To.ToSql()} WHERE _block_number <= {present}) AS present
             FROM ({ByIdentity(present, upTo)})
             """,
            Reading,
            ct))[0];
        var copied = context.Journal.All<AttachedFact>("attached/forward-base-").Sum(f => f.Value.Fingerprints.Rows);
        return new Found(present, row.Int64("missing"), row.Int64("doubled"), row.Int64("different"), row["example"], row.Int64("present") - copied - row.Int64("brought"));
    }

    /// <summary>For each identity that the consumers bring: how many rows each table has of it, and which.</summary>
    private string ByIdentity(long present, long upTo)
    {
        var (id, hash) = (_second.Id, direction.Fingerprint.Hash);
        var ids = $"SELECT {_second.Columns} FROM {direction.From.ToSql()} WHERE {Stream}";
        var mapped = string.Join(", ", direction.Mapping.Select(m => $"{m.Expression} AS {Sql.Identifier(m.Target)}"));
        return $"""
            SELECT godwit_i, countIf(NOT godwit_t) AS f, countIf(NOT godwit_t AND godwit_b <= {upTo}) AS f_before, countIf(godwit_t) AS t, countIf(godwit_t AND godwit_b <= {present}) AS t_before,
                groupUniqArrayIf(godwit_h, NOT godwit_t) AS f_hashes, groupUniqArrayIf(godwit_h, godwit_t) AS t_hashes, sum(godwit_c) AS base
            FROM (
                SELECT {id} AS godwit_i, 0 AS godwit_t, {hash} AS godwit_h, godwit_b, godwit_c
                FROM (SELECT {mapped}, _block_number AS godwit_b, ({Base(context, spec)}) AS godwit_c FROM {direction.From.ToSql()} WHERE {id} IN ({ids}))
                UNION ALL
                SELECT {id}, 1, {hash}, _block_number, 0 FROM {direction.To.ToSql()} WHERE {id} IN ({ids}))
            GROUP BY godwit_i
            """;
    }

    // Parts of the second consumer alone: no merge of staging has run yet. What was copied is never doubled, and must not be dropped.
    private async Task DropDoubledAsync(Found found, CancellationToken ct)
    {
        var doubled = $"SELECT godwit_i FROM ({ByIdentity(found.Present, 0)}) WHERE t_before > f";
        var parts = await context.Gateway.QueryAsync(
            $"""
             SELECT DISTINCT part, hash_of_all_files AS hash FROM (SELECT argMax(_part, _block_number) AS part FROM {direction.To.ToSql()} WHERE {_second.Id} IN ({doubled}) GROUP BY {_second.Columns}) AS p
             INNER JOIN system.parts AS s ON s.name = p.part WHERE {TableReader.Where(direction.To, "s.table")} AND s.active
             """,
            Reading,
            ct);
        var ours = context.Journal.All<CopiedFact>("copied/forward-").SelectMany(f => f.Value.Parts).Select(p => p.Hash).ToHashSet(StringComparer.Ordinal);
        if (parts.FirstOrDefault(p => ours.Contains(p["hash"])) is { } copied)
        {
            throw new StepFailedException($"Messages that were copied to {direction.To} came there by Kafka as well (part {copied["part"]}): the offsets of group {_second.SecondGroup} were set back. `rollback`, then start again.");
        }

        await context.ChangeAsync("drop-doubled", ct, [.. parts.Select(p => $"ALTER TABLE {direction.To.ToSql()} DROP PART {Sql.Literal(p["part"])}")]);
    }

    private void Judge(Found found)
    {
        var problem = found switch
        {
            { Missing: > 0 } => $"{Plain.Count(found.Missing)} messages are in {direction.From} and do not arrive in {direction.To}. Look at the view of {HelperTables.Queue(spec)}",
            { Doubled: > 0 } => $"{Plain.Count(found.Doubled)} messages are in {direction.To} more often than in {direction.From}, however often they are taken out. Find out why group {_second.SecondGroup} reads them again",
            { Extra: > 0 } => $"{Plain.Count(found.Extra)} rows are in {direction.To} and not in {direction.From}, although both consumers have read everything: {string.Join(", ", _second.Topics)} is read by other members of group {_second.FirstGroup}, on another server perhaps. Use --strategy pause-feed",
            { Extra: < 0 } => $"{Plain.Count(-found.Extra)} rows are gone from {direction.To}: something else changes this table. `rollback` and start again",
            { Different: > 0 } when !_second.AcceptsValues => $"{Plain.Count(found.Different)} messages, such as {found.Example}, are other rows in {direction.To} than in {direction.From}. Either {string.Join(", ", _second.Identity)} does not tell a message from all others (see --identity), or a column is filled when a row is stored, such as by now(): if that is all, start again with --accept row-values",
            _ => null,
        };
        if (problem is not null)
        {
            throw new StepFailedException($"{problem}. The names were not exchanged.");
        }
    }

    private async Task CompareBaseAsync(CancellationToken ct)
    {
        context.Board.Activity = "verifying";
        var source = FingerprintSql.Read(await context.Gateway.QueryAsync(direction.Fingerprint.Select(direction.Fingerprint.Mapped(direction.From.ToSql(), Base(context, spec))), Reading, ct));
        Fingerprints written = [];
        foreach (var chunk in context.Journal.All<AttachedFact>("attached/forward-base-"))
        {
            written.Add(chunk.Value.Fingerprints);
        }

        if (source.Difference(written) is [var partition, ..])
        {
            throw new StepFailedException(
                $"Rows of {direction.From} changed in place or vanished since they were copied (partition {partition}): a mutation, a TTL, a partition that was dropped. The strategy second-consumer cannot follow that. "
                + "`rollback`, then start again when that has ended, or use --strategy pause-feed.");
        }
    }

    private QueryOptions Reading => new()
    {
        QueryId = context.Services.NewQueryId(context.Step.Index),
        Settings = new Dictionary<string, string>(CopyTuning.ReadSettings, StringComparer.Ordinal) { ["cancel_http_readonly_queries_on_client_close"] = "1" },
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private Task<T> AskAsync<T>(string sql, CancellationToken ct) => context.Gateway.ScalarAsync<T>(sql, Reading, ct);

    /// <summary>What a comparison found.</summary>
    /// <param name="Present">The position in the table that is filled up to which that holds.</param>
    /// <param name="Missing">Messages of the one table that the other one lacks.</param>
    /// <param name="Doubled">Messages that it has more often.</param>
    /// <param name="Different">Messages of which it has another row.</param>
    /// <param name="Example">The identity of one of these.</param>
    /// <param name="Extra">Rows that it has and the other one lacks; negative for rows that were brought there and are gone.</param>
    private sealed record Found(long Present, long Missing, long Doubled, long Different, string Example, long Extra);
}
