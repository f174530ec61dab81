using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>What the guard saw of the source when it looked last.</summary>
/// <param name="StartedAt">When the server was started.</param>
/// <param name="LastMutation">The version of the newest mutation of the table.</param>
/// <param name="PatchParts">Its patch parts.</param>
/// <param name="LastBlock">Its highest position.</param>
/// <param name="MergedParts">A hash of the names of its merged parts; empty where merges may run.</param>
internal sealed record GuardFact(DateTimeOffset StartedAt, long LastMutation, long PatchParts, long LastBlock, string MergedParts);

/// <summary>
/// Looks for what the block log cannot see: rows that changed in place or vanished, and positions that were given out twice after a
/// restart. What it finds makes everything that was verified before doubtful, so it is verified again, against the rows themselves.
/// </summary>
internal sealed class SourceGuard(StepContext context, RebuildSpec spec)
{
    /// <summary>The journal's fact that rows may have changed in place.</summary>
    public const string SuspectFact = "suspect";

    private const string Fact = "guard";
    private const string NewFact = "guard-new";
    private const string MutationNumber = @"toInt64OrZero(extract(mutation_id, '\\d+'))";

    // Dropping a column, an index or a projection is a mutation too. Whether something is missing then, the definition tells.
    private const string WithoutDrops = "AND NOT match(command, '^[(]?DROP ')";
    private static readonly Dictionary<string, string> NoSettings = [];

    /// <summary>Notes how things are; called when the block log is on and before the first row is copied or linked.</summary>
    public async Task BeginAsync(CancellationToken ct)
    {
        if (!context.Journal.Has(Fact))
        {
            await context.Journal.FactAsync(Fact, await WhenStillAsync(() => LookAsync(spec.Source, ct), ct));
        }
    }

    /// <summary>Looks at the source while no mutation of it is under way: one that has begun would be taken for one that all rows have been through.</summary>
    public async Task<T> WhenStillAsync<T>(Func<Task<T>> look, CancellationToken ct)
    {
        while (true)
        {
            await WaitForMutationsAsync(ct);
            var seen = await look();
            if ((await Mutations.ListAsync(context.Gateway, spec.Source, ct)).All(m => m.IsDone))
            {
                return seen;
            }
        }
    }

    /// <summary>Whether what was verified at a moment of the journal may no longer hold, once the mutations of the source have ended.</summary>
    /// <returns>True when everything must be verified again.</returns>
    /// <exception cref="StepFailedException">The source is no longer the table that the run began with, or its block log is off.</exception>
    public async Task<bool> IsSuspectAsync(CancellationToken ct)
    {
        if (MergeControl.IsNeeded(spec))
        {
            // A process that died may have left them stopped, and mutations with them.
            await MergeControl.StartAsync(context, spec.Source, ct);
        }

        await WaitForMutationsAsync(ct);
        return await IsSuspectNowAsync(ct);
    }

    /// <summary>The same without waiting: a mutation that has not ended makes everything suspect.</summary>
    /// <inheritdoc cref="IsSuspectAsync"/>
    public async Task<bool> IsSuspectNowAsync(CancellationToken ct)
    {
        await RequireSameTableAsync(ct);
        var before = context.Journal.Get<GuardFact>(Fact);
        var now = await LookAsync(spec.Source, ct);
        var restarted = now.StartedAt > before.StartedAt + TimeSpan.FromSeconds(5);
        var suspect = now.LastMutation > before.LastMutation || now.PatchParts > before.PatchParts || now.LastBlock < before.LastBlock
            || now.MergedParts != before.MergedParts;
        if (restarted && now.LastBlock < context.Journal.Find<long>("position/forward"))
        {
            // The server counts on from the parts it found: numbers at or below the position may be given out again.
            await Follower.GoBackAsync(context, "forward", now.LastBlock);
            suspect = true;
        }

        if (suspect)
        {
            await context.Journal.FactAsync(SuspectFact, now);
        }

        if (suspect || restarted || now.LastBlock > before.LastBlock)
        {
            await context.Journal.FactAsync(Fact, now);
        }

        return suspect;
    }

    /// <summary>Notes how the new table is right before it gets the name.</summary>
    public async Task NoteNewTableAsync(CancellationToken ct) =>
        await context.Journal.FactAsync(NewFact, await LookAsync(spec.Staging, ct));

    /// <summary>
    /// Called after the exchange. A mutation that met it changed the old table only, and nobody but its author knows what to do:
    /// said once, then the run goes on when it is resumed.
    /// </summary>
    /// <exception cref="NeedsOperatorException">There is such a mutation.</exception>
    public Task RequireNoLateMutationAsync(CancellationToken ct) => RequireNoMutationAsync(
        Fact,
        spec.Staging,
        what => $"{what} met the exchange of the names and changed the old table only, which is {spec.Staging} now. Send it to {spec.Source} again and `resume`"
            + (spec.CanRollBackAfterCompletion ? ", or `rollback` to go back to the old table." : "."),
        ct);

    /// <summary>Called before and after the names are given back. What changed rows of the new table in place is not in the old one: said once.</summary>
    /// <param name="table">The name that the new table has at this moment.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="NeedsOperatorException">There is such a mutation, or the table was altered.</exception>
    public async Task RequireNewTableUnchangedAsync(QualifiedName table, CancellationToken ct)
    {
        string Sentence(string what) => $"{what} changed {spec.Source} after the cutover, and the old table knows nothing of it: a rollback takes it back. "
            + $"Do the same to the old table{(table == spec.Source ? $", {spec.Staging}," : "")} if it must stay, then say `rollback` again; it will not be asked twice.";
        await RequireNoMutationAsync(NewFact, table, Sentence, ct);
        var now = await context.Gateway.ScalarAsync<string>($"SELECT create_table_query FROM system.tables WHERE {TableReader.Where(table, "name")}", ct: ct);
        var changed = TableChange.Between(spec.To with { Settings = NoSettings }, TableDefinition.Parse(now) with { Settings = NoSettings });
        var told = $"told/{NewFact}/{string.Join("; ", changed)}";
        if (changed.Count > 0 && !context.Journal.Has(told))
        {
            throw new NeedsOperatorException(Sentence($"An ALTER ({string.Join("; ", changed)})")) { OnTold = () => context.Journal.FactAsync(told, true) };
        }
    }

    private async Task RequireNoMutationAsync(string fact, QualifiedName table, Func<string, string> sentence, CancellationToken ct)
    {
        if (context.Journal.Find<GuardFact>(fact) is not { } before)
        {
            return;
        }

        var now = await LookAsync(table, ct);
        var told = string.Create(CultureInfo.InvariantCulture, $"told/{fact}/{now.LastMutation}/{now.PatchParts}");
        if ((now.LastMutation <= before.LastMutation && now.PatchParts <= before.PatchParts) || context.Journal.Has(told))
        {
            return;
        }

        var late = await context.Gateway.QueryAsync(
            $"""
             SELECT mutation_id, command FROM system.mutations
             WHERE {TableReader.Where(table, "table")} AND {MutationNumber} > {before.LastMutation} {(fact == NewFact ? WithoutDrops : "")}
             ORDER BY {MutationNumber} DESC LIMIT 1
             """,
            ct: ct);
        if (late.Count == 0 && now.PatchParts <= before.PatchParts)
        {
            return;
        }

        var what = late is [var mutation] ? $"{mutation["mutation_id"]} {mutation["command"]}" : "A lightweight update or delete";
        throw new NeedsOperatorException(sentence(what)) { OnTold = () => context.Journal.FactAsync(told, true) };
    }

    private async Task RequireSameTableAsync(CancellationToken ct)
    {
        if (await TableReader.FindUuidAsync(context.Gateway, spec.Source, ct) != spec.SourceUuid)
        {
            throw new StepFailedException(
                $"{spec.Source} is no longer the table that this run began with: somebody dropped, renamed or exchanged it. "
                + "Put it back and `resume`, or `rollback` to remove what this run made.");
        }

        await RequireSameDefinitionAsync(context, spec, spec.Source, ct);

        var on = await context.Gateway.ScalarAsync<long>(
            $"""
             SELECT count() FROM system.tables WHERE {TableReader.Where(spec.Source, "name")}
                 AND match(create_table_query, '{HelperTables.BlockLog} = (1|true)')
             """,
            ct: ct);
        if (on == 0)
        {
            throw new StepFailedException(
                $"The setting {HelperTables.BlockLog} of {spec.Source} was turned off during the run, so new rows can no longer be told from old ones. "
                + "`rollback`, then start again.");
        }
    }

    /// <summary>Refuses when somebody has altered the old table since the plan: the new one would lack what was added.</summary>
    /// <exception cref="StepFailedException">It was altered.</exception>
    public static async Task RequireSameDefinitionAsync(StepContext context, RebuildSpec spec, QualifiedName table, CancellationToken ct)
    {
        var changed = await ChangesAsync(context, table, spec.From, ct);
        if (changed.Count > 0)
        {
            throw new StepFailedException(
                $"{spec.Source} was altered during the run ({string.Join("; ", changed)}), and the new table knows nothing of that. "
                + "Take it back and `resume`, or `rollback` and start again.");
        }
    }

    /// <summary>Refuses when somebody has altered a table that is about to lose its name: the one that gets it would lack what was added.</summary>
    /// <exception cref="StepFailedException">It was altered.</exception>
    public static async Task RequireSameDefinitionAsync(StepContext context, QualifiedName table, TableDefinition definition, CancellationToken ct)
    {
        var changed = await ChangesAsync(context, table, definition, ct);
        if (changed.Count > 0)
        {
            throw new StepFailedException($"{table} was altered during the run ({string.Join("; ", changed)}), and the table that is to take over its name knows nothing of that. Take it back, then say it again.");
        }
    }

    private static async Task<IReadOnlyList<TableChange>> ChangesAsync(StepContext context, QualifiedName table, TableDefinition definition, CancellationToken ct)
    {
        var now = await context.Gateway.ScalarAsync<string>($"SELECT create_table_query FROM system.tables WHERE {TableReader.Where(table, "name")}", ct: ct);

        // The run itself changes settings; what the others say is another table than the one that was planned for.
        return TableChange.Between(definition with { Settings = NoSettings }, TableDefinition.Parse(now) with { Settings = NoSettings });
    }

    private async Task WaitForMutationsAsync(CancellationToken ct)
    {
        while ((await Mutations.ListAsync(context.Gateway, spec.Source, ct)).FirstOrDefault(m => !m.IsDone) is { } mutation)
        {
            context.Board.Brake = $"waiting for mutation {mutation.Id} of {spec.Source}: {mutation.Command}"
                + (mutation.FailReason.Length == 0 ? "" : $" (it fails: {mutation.FailReason}; KILL MUTATION or mend it)");
            await Task.Delay(TimeSpan.FromSeconds(1), context.Clock, ct);
        }

        context.Board.Brake = null;
    }

    private async Task<GuardFact> LookAsync(QualifiedName table, CancellationToken ct)
    {
        // A part that an insert has just written holds one block, so this changes when somebody merges or drops parts in spite of the hold.
        var merged = spec.HoldsMerges ? "toString(sumIf(cityHash64(name), min_block_number != max_block_number))" : "any('')";
        var row = (await context.Gateway.QueryAsync(
            $"""
             SELECT now() - uptime() AS started,
                 (SELECT max({MutationNumber}) FROM system.mutations WHERE {TableReader.Where(table, "table")}) AS mutation,
                 (SELECT countIf(startsWith(name, 'patch-')) FROM system.parts WHERE {TableReader.Where(table, "table")} AND active) AS patches,
                 (SELECT max(max_block_number) FROM system.parts WHERE {TableReader.Where(table, "table")} AND active) AS block,
                 (SELECT {merged} FROM system.parts WHERE {TableReader.Where(table, "table")} AND active) AS merged
             """,
            ct: ct))[0];
        return new GuardFact(row.Utc("started"), row.Int64("mutation"), row.Int64("patches"), row.Int64("block"), row["merged"]);
    }
}
