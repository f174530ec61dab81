using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>The journal's fact that the witness stands.</summary>
/// <param name="Position">Every row of the table after this position was inserted when it stood.</param>
/// <param name="Views">The views that it stands for.</param>
internal sealed record WitnessFact(long Position, IReadOnlyList<string> Views);

/// <summary>
/// Keeps materialized views fed while the names change hands. The server finds an insert's table first and, some time later, the views
/// that go by the name which that table has then, all at once. An insert that is between the two at the exchange finds none, and for
/// the milliseconds of the exchange neither name has any (bench/Godwit.Bench counts how often that happens; tried on 26.7). So a view of
/// our own, the witness, goes by the same name: it has seen an insert if and only if the others have. What is stored and was not seen
/// is put through their SELECTs once. Rows that are equal in every column are told apart by their number only, so one that was missed
/// goes unnoticed when its equal is inserted within the same moments.
/// </summary>
internal sealed class ViewWitness(StepContext context, RebuildSpec spec, Direction direction)
{
    private const string Inserts = "query_kind IN ('Insert', 'AsyncInsertFlush')";

    // What a writer's INSERT must never fail for: the witness has one partition, whatever the table has.
    private const string Unlimited = "parts_to_delay_insert = 1000000, parts_to_throw_insert = 1000000, max_parts_in_total = 1000000";
    private static readonly QueryOptions Reading = new() { Settings = CopyTuning.ReadSettings, Timeout = Timeout.InfiniteTimeSpan };

    private QualifiedName Seen => HelperTables.Witness(spec);

    private QualifiedName Missed => HelperTables.Missed(spec);

    // Columns that are the same in the table that is read, in the one that is filled, and in an insert on its way, whoever sends it.
    private string Hash => $"cityHash64({string.Join(", ", direction.Mapping.Where(m => m.IsPlain).Select(m => m.HashArguments()))})";

    private string Fact => $"witness/{direction.Name}";

    /// <summary>Whether what was inserted can be recognised when it is stored.</summary>
    public static bool IsPossible(TableEngine from, TableEngine to, IReadOnlyList<ColumnMapping> mapping) =>
        !from.MakesRows && !to.MakesRows && mapping.Any(m => m.IsPlain);

    /// <summary>Makes the witness of what is inserted under the source's name, and waits for inserts that began before it.</summary>
    /// <exception cref="StepFailedException">A view cannot be fed by anything but an insert, and nobody has accepted that.</exception>
    public async Task StandAsync(CancellationToken ct)
    {
        await FallAsync(ct);
        var isPossible = IsPossible(TableEngine.Parse(spec.From.Engine), TableEngine.Parse(spec.To.Engine), direction.Mapping);
        List<string> views = [];
        foreach (var view in await FedView.FindAsync(context.Gateway, spec.Source, ct))
        {
            var obstacle = isPossible ? await view.ObstacleAsync(context.Gateway, spec.Source, ct) : "the rows that it missed could not be told";
            if (obstacle is null)
            {
                views.Add(view.Name.ToString());
            }
            else if (!spec.Accepted.Contains("view-race", StringComparer.Ordinal))
            {
                throw new StepFailedException($"The materialized view {view.Name} could not be fed with inserts that meet the exchange of the names: {obstacle}. Mend it or DETACH it, then go on.");
            }
        }

        if (views.Count > 0)
        {
            await context.ChangeAsync(
                "create-witness",
                ct,
                $"CREATE TABLE {Seen.ToSql()} (h UInt64) ENGINE = MergeTree ORDER BY tuple() SETTINGS {Unlimited}",
                $"CREATE MATERIALIZED VIEW {HelperTables.ViewOf(Seen).ToSql()} TO {Seen.ToSql()} AS SELECT {Hash} AS h FROM {spec.Source.ToSql()}");
            await Positions.WaitForStatementsAsync(context, Inserts, () => Task.CompletedTask, ct);
        }

        await context.Journal.FactAsync(Fact, new WitnessFact(await Positions.LastAsync(context.Gateway, spec.Source, ct), views));
    }

    /// <summary>Takes the witness away.</summary>
    public Task FallAsync(CancellationToken ct) => HelperTables.DropAsync(context, ct, HelperTables.ViewOf(Seen), Seen);

    /// <summary>
    /// Keeps the rows that views missed in a table of their own; called when every insert that can have met the exchange has ended and
    /// has been swept, and before merges of the table that has the name may fold what came.
    /// </summary>
    public async Task KeepMissedAsync(CancellationToken ct)
    {
        if (context.Journal.Find<WitnessFact>(Fact) is not { Views.Count: > 0 } witness || context.Journal.Has($"missed/{direction.Name}"))
        {
            return;
        }

        context.Board.Activity = "looking for inserts that materialized views missed";
        var stored = await StoredAsync(witness, ct);

        // The witness of an insert may be stored a moment after its rows.
        await Positions.WaitForStatementsAsync(context, Inserts, () => Task.CompletedTask, ct);
        var unseen = $"SELECT h, sum(n) AS missing FROM (SELECT {Hash} AS h, 1 AS n FROM ({stored}) UNION ALL SELECT h, -1 FROM {Seen.ToSql()}) GROUP BY h HAVING missing > 0";
        var missing = await context.Gateway.ScalarAsync<long>($"SELECT sum(missing) FROM ({unseen})", Reading, ct);
        if (missing > 0)
        {
            await FillAsync(stored, unseen, ct);
        }

        await context.Journal.FactAsync($"missed/{direction.Name}", missing);
        await FallAsync(ct);
    }

    /// <summary>Puts the missed rows through the SELECT of each view. What stands in the way here harms nobody but the views.</summary>
    /// <exception cref="NeedsOperatorException">An earlier attempt was cut off, and what it did cannot be found out.</exception>
    public async Task FeedAsync(CancellationToken ct)
    {
        if (context.Journal.Find<long>($"missed/{direction.Name}") == 0)
        {
            return;
        }

        context.Board.Activity = "feeding materialized views with what they missed";
        var watched = context.Journal.Get<WitnessFact>(Fact).Views;
        foreach (var view in (await FedView.FindAsync(context.Gateway, spec.Source, ct)).Where(v => watched.Contains(v.Name.ToString(), StringComparer.Ordinal)))
        {
            await FeedAsync(view, ct);
        }
    }

    /// <summary>What writers have stored and may have met the exchange, as rows of the table that has the name now.</summary>
    private async Task<string> StoredAsync(WitnessFact witness, CancellationToken ct)
    {
        var exchange = context.Journal.Get<ExchangeFact>($"exchange/{direction.Name}");
        var upTo = await Positions.LastAsync(context.Gateway, direction.To, ct);
        var since = Positions.Between(exchange.Position, upTo, Follower.SweptBlocks(context.Journal, direction.Name));
        return $"SELECT {direction.Columns} FROM {direction.Fingerprint.Mapped(direction.From.ToSql(), $"_block_number > {Math.Max(exchange.Followed, witness.Position)}")} "
            + $"UNION ALL SELECT {direction.Columns} FROM {direction.To.ToSql()} WHERE {since}";
    }

    private async Task FillAsync(string stored, string unseen, CancellationToken ct)
    {
        await HelperTables.DropAsync(context, ct, Missed);
        await context.ChangeAsync(
            "create-missed", [direction.ToDefinition.ToSql(Missed, HelperTables.Landing(sweep: false))], HelperTables.CreateSettings(direction.ToDefinition), ct);
        var tuning = CopyTuning.For(await ServerResources.ReadAsync(context.Gateway, context.Options, ct), context.Options, 1, long.MaxValue);
        await LongStatement.RunAsync(
            context,
            $"INSERT INTO {Missed.ToSql()} ({direction.Columns}) SELECT {direction.Columns} FROM "
            + $"(SELECT {direction.Columns}, godwit_h, row_number() OVER (PARTITION BY godwit_h) AS godwit_n FROM (SELECT {direction.Columns}, {Hash} AS godwit_h FROM ({stored})) "
            + $"WHERE godwit_h IN (SELECT h FROM ({unseen}))) AS godwit_r INNER JOIN (SELECT h AS godwit_u, missing AS godwit_m FROM ({unseen})) AS godwit_s "
            + "ON godwit_r.godwit_h = godwit_s.godwit_u WHERE godwit_n <= godwit_m",
            (tuning with { RowsPerSecond = null, IsPolite = false }).Settings(),
            _ => { },
            ct);
    }

    private async Task FeedAsync(FedView view, CancellationToken ct)
    {
        var (feeding, fed) = ($"feeding/{direction.Name}/{view.Name}", $"fed/{direction.Name}/{view.Name}");
        if (view.Over(spec.Source, Missed) is not { } select || context.Journal.Has(fed))
        {
            return;
        }

        if (context.Journal.Find<bool>(feeding))
        {
            throw new NeedsOperatorException(
                $"{context.Journal.Get<long>($"missed/{direction.Name}")} rows had met the exchange and were being put into {view.Target} for the view {view.Name} when that was cut off, "
                + $"and whether they arrived cannot be told. They are in {Missed}: compare, and INSERT them if they are not there. Then `resume`.")
            {
                OnTold = () => context.Journal.FactAsync(fed, true),
            };
        }

        var columns = string.Join(", ", (await view.ColumnsAsync(context.Gateway, ct)).Select(Sql.Identifier));
        await context.Journal.FactAsync(feeding, true);
        try
        {
            await LongStatement.RunAsync(context, $"INSERT INTO {view.Target.ToSql()} ({columns}) SELECT {columns} FROM ({select})", CopyTuning.FeedSettings, _ => { }, ct);
        }
        catch (ClickHouseException e) when (e.HadNoEffect(isAllOrNothing: false))
        {
            await context.Journal.FactAsync(feeding, false);
            throw;
        }

        await context.Journal.FactAsync(fed, true);
    }
}
