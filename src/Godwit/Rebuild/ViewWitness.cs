using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>The journal's fact that the witness stands.</summary>
/// <param name="Position">Rows after this position of the table that the direction reads were inserted when it stood.</param>
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
    private static readonly QueryOptions Reading = new() { Settings = CopyTuning.ReadSettings, Timeout = Timeout.InfiniteTimeSpan };

    private QualifiedName Seen => HelperTables.Witness(spec);

    private QualifiedName Missed => HelperTables.Missed(spec);

    private string Hash => direction.Fingerprint.Hash;

    private string Fact => $"witness/{direction.Name}";

    /// <summary>Makes the witness of what is inserted under the source's name, and waits for inserts that began before it.</summary>
    /// <exception cref="StepFailedException">A view cannot be fed by anything but an insert, and nobody has accepted that.</exception>
    public async Task StandAsync(CancellationToken ct)
    {
        var views = await ViewsAsync(ct);
        var odd = views.FirstOrDefault(v => !IsPossible(spec) || v.Over(spec.Source, Missed) is null);
        if (odd is not null && !spec.AcceptsViewRace)
        {
            throw new StepFailedException(
                $"The materialized view {odd.Name} was not there when the plan was made, and Godwit could not feed it with inserts that meet the exchange. "
                + "DETACH it and `resume`, or `rollback` and start again.");
        }

        if (views.Count == 0 || !IsPossible(spec))
        {
            await context.Journal.FactAsync(context.Step.Index, Fact, new WitnessFact(0, []));
            return;
        }

        await FallAsync(ct);
        await context.ChangeAsync(
            "create-witness",
            ct,
            $"CREATE TABLE {Seen.ToSql()} (h UInt64) ENGINE = MergeTree ORDER BY tuple()",
            $"CREATE MATERIALIZED VIEW {HelperTables.ViewOf(Seen).ToSql()} TO {Seen.ToSql()} AS SELECT {Hash} AS h FROM {direction.Fingerprint.Mapped(spec.Source.ToSql(), null)}");
        await Positions.WaitForStatementsAsync(context, Inserts, () => Task.CompletedTask, ct);
        await context.Journal.FactAsync(
            context.Step.Index,
            Fact,
            new WitnessFact(await Positions.LastAsync(context.Gateway, spec.Source, ct), views.Select(v => v.Name.ToString()).ToList()));
    }

    /// <summary>Takes the witness away.</summary>
    public Task FallAsync(CancellationToken ct) => HelperTables.DropAsync(context, ct, HelperTables.ViewOf(Seen), Seen);

    private static bool IsPossible(RebuildSpec spec) => !TableEngine.Parse(spec.From.Engine).MakesRows && !TableEngine.Parse(spec.To.Engine).MakesRows;

    /// <summary>Feeds the views with what they missed; called when every insert that can have missed them has ended.</summary>
    /// <exception cref="NeedsOperatorException">An earlier attempt was cut off, and what it did cannot be found out.</exception>
    public async Task FeedAsync(CancellationToken ct)
    {
        if (context.Journal.Find<WitnessFact>(Fact) is not { Views.Count: > 0 } witness || context.Journal.Has($"fed/{direction.Name}"))
        {
            return;
        }

        context.Board.Activity = "looking for inserts that materialized views missed";
        var condition = await ArrivedAsync(ct);

        // The witness of an insert may be stored a moment after its rows.
        await Positions.WaitForStatementsAsync(context, Inserts, () => Task.CompletedTask, ct);
        if (await context.Gateway.ScalarAsync<long>($"SELECT count() FROM ({Unseen(witness, condition)})", Reading, ct) > 0)
        {
            await KeepMissedAsync(witness, condition, ct);
            foreach (var view in (await ViewsAsync(ct)).Where(v => witness.Views.Contains(v.Name.ToString(), StringComparer.Ordinal)))
            {
                await FeedAsync(view, ct);
            }
        }

        await context.Journal.FactAsync(context.Step.Index, $"fed/{direction.Name}", true);
    }

    private async Task<IReadOnlyList<FedView>> ViewsAsync(CancellationToken ct) =>
        (await FedView.FindAsync(context.Gateway, spec.Source, ct)).Where(v => v.Name != HelperTables.ViewOf(Seen)).ToList();

    /// <summary>Which rows writers have put into the table that has the name now.</summary>
    private async Task<string> ArrivedAsync(CancellationToken ct)
    {
        var after = context.Journal.Get<ExchangeFact>($"exchange/{direction.Name}").Position;
        var upTo = await Positions.LastAsync(context.Gateway, direction.To, ct);
        return Positions.Between(after, upTo, Follower.SweptBlocks(context.Journal, direction.Name));
    }

    /// <summary>The rows that writers have stored since the witness stood, as rows of the table that has the name now.</summary>
    private string Stored(WitnessFact witness, string condition)
    {
        var columns = string.Join(", ", direction.Mapping.Select(m => Sql.Identifier(m.Target)));
        return $"SELECT {columns} FROM {direction.Fingerprint.Mapped(direction.From.ToSql(), $"_block_number > {witness.Position}")} "
            + $"UNION ALL SELECT {columns} FROM {direction.To.ToSql()} WHERE {condition}";
    }

    private string Unseen(WitnessFact witness, string condition) =>
        $"SELECT h, sum(n) AS missing FROM (SELECT {Hash} AS h, 1 AS n FROM ({Stored(witness, condition)}) UNION ALL SELECT h, -1 FROM {Seen.ToSql()}) "
        + "GROUP BY h HAVING missing > 0";

    private async Task KeepMissedAsync(WitnessFact witness, string condition, CancellationToken ct)
    {
        if (context.Journal.Has($"missed/{direction.Name}"))
        {
            return;
        }

        await HelperTables.DropAsync(context, ct, Missed);
        await context.ChangeAsync(
            "create-missed", [direction.ToDefinition.ToSql(Missed, HelperTables.Landing(sweep: false))], HelperTables.CreateSettings(direction.ToDefinition), ct);
        var columns = string.Join(", ", direction.Mapping.Select(m => Sql.Identifier(m.Target)));
        var unseen = Unseen(witness, condition);
        await InsertAsync(
            $"INSERT INTO {Missed.ToSql()} ({columns}) SELECT {columns} FROM "
            + $"(SELECT {columns}, godwit_h, row_number() OVER (PARTITION BY godwit_h) AS godwit_n FROM (SELECT {columns}, {Hash} AS godwit_h FROM ({Stored(witness, condition)})) "
            + $"WHERE godwit_h IN (SELECT h FROM ({unseen}))) AS godwit_r INNER JOIN ({unseen}) AS godwit_u ON godwit_r.godwit_h = godwit_u.h WHERE godwit_n <= missing",
            ct);
        var rows = await context.Gateway.ScalarAsync<long>($"SELECT count() FROM {Missed.ToSql()}", ct: ct);
        await context.Journal.FactAsync(context.Step.Index, $"missed/{direction.Name}", rows);
    }

    private async Task FeedAsync(FedView view, CancellationToken ct)
    {
        var fact = $"{direction.Name}/{view.Name}";
        if (view.Over(spec.Source, Missed) is not { } select || context.Journal.Has($"fed/{fact}"))
        {
            return;
        }

        if (context.Journal.Has($"feeding/{fact}"))
        {
            await context.Journal.FactAsync(context.Step.Index, $"fed/{fact}", true);
            throw new NeedsOperatorException(
                $"{context.Journal.Get<long>($"missed/{direction.Name}")} rows had met the exchange and were being put into {view.Target} for the view {view.Name} when that was cut off, "
                + $"and whether they arrived cannot be told. They are in {Missed}: compare, and INSERT them if they are not there. Then `resume`.");
        }

        await context.Journal.FactAsync(context.Step.Index, $"feeding/{fact}", true);
        var columns = string.Join(", ", view.Columns.Select(Sql.Identifier));
        await InsertAsync($"INSERT INTO {view.Target.ToSql()} ({columns}) SELECT {columns} FROM ({select})", ct);
        await context.Journal.FactAsync(context.Step.Index, $"fed/{fact}", true);
    }

    private async Task InsertAsync(string sql, CancellationToken ct)
    {
        var resources = await ServerResources.ReadAsync(context.Gateway, context.Options, ct);
        var tuning = CopyTuning.For(resources, context.Options, 1, long.MaxValue) with { RowsPerSecond = null, IsPolite = false };
        await LongStatement.RunAsync(context, sql, tuning.Settings(), _ => { }, ct);
    }
}
