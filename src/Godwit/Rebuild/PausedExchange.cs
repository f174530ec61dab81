using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>The journal's fact that names are about to change hands.</summary>
/// <param name="Change">Which.</param>
/// <param name="Old">What the table that loses the name has then.</param>
/// <param name="New">What the table that gets it has.</param>
internal sealed record TakeOverFact(TakeOver Change, TableState Old, TableState New);

/// <summary>What is written into a table, or changed in it, changes this. Merges do not, unless they fold rows.</summary>
/// <param name="LastChange">The highest number of an insert or a mutation.</param>
/// <param name="Rows">The rows of each partition.</param>
internal sealed record TableState(long LastChange, IReadOnlyDictionary<string, long> Rows)
{
    public static TableState Of(IReadOnlyDictionary<string, PartitionParts> partitions) =>
        new(partitions.Values.Select(p => p.LastChange).DefaultIfEmpty(0).Max(), partitions.ToDictionary(p => p.Key, p => p.Value.Rows, StringComparer.Ordinal));

    /// <summary>Whether a partition is another one than it was.</summary>
    /// <param name="present">As it is now.</param>
    /// <param name="folds">Whether merges make fewer rows of it.</param>
    public bool IsChanged(PartitionParts present, bool folds) => present.LastChange > LastChange || (!folds && Rows.GetValueOrDefault(present.Id) != present.Rows);

    /// <summary>Whether the table is another one than it was.</summary>
    /// <inheritdoc cref="IsChanged(PartitionParts, bool)"/>
    public bool IsChanged(IReadOnlyDictionary<string, PartitionParts> present, bool folds) => present.Values.Any(p => IsChanged(p, folds)) || Rows.Keys.Any(p => !present.ContainsKey(p));
}

/// <summary>
/// Lets names change hands while nothing writes: what has changed is copied, the new table is put together, and the names are given to it. Afterwards the old table
/// is looked at once more. When something was written to it all the same, the names are given back and it is done again.
/// </summary>
/// <param name="context">The step.</param>
/// <param name="spec">The rebuild.</param>
/// <param name="copier">Copies what changes.</param>
/// <param name="direction"><c>forward</c> or <c>backward</c>: part of the names of its journal facts.</param>
internal sealed class PausedExchange(StepContext context, RebuildSpec spec, WholeCopier copier, string direction)
{
    private const string MergesStopped = "merges-stopped";
    private const int MostAttempts = 5;
    private TimeSpan? _exchange;

    /// <summary>The journal's fact of the names that change hands.</summary>
    public static string Fact(string direction) => $"take-over/{direction}";

    /// <summary>Whether names of this direction have changed hands; what has happened by half is finished.</summary>
    public static async Task<bool> HasHappenedAsync(StepContext context, string direction, CancellationToken ct) =>
        context.Journal.Find<TakeOverFact>(Fact(direction)) is { } fact && await TableNames.HaveChangedAsync(context, fact.Change, ct);

    /// <summary>Does it, or finishes doing it.</summary>
    /// <param name="definition">What the table that has the name must still be.</param>
    /// <param name="assembleAsync">Makes the table that takes over, of what the other one is made of; also after it was made before.</param>
    /// <param name="ct">Cancels.</param>
    public async Task RunAsync(TableDefinition definition, Func<IReadOnlyDictionary<string, PartitionParts>, CancellationToken, Task<TakeOver>> assembleAsync, CancellationToken ct)
    {
        var hold = new FeedHold(context, spec);
        while (!context.Journal.Has($"swept/{direction}"))
        {
            // What has happened, and whoever wants to go back, is not kept waiting.
            if (!await HasHappenedAsync(context, direction, ct))
            {
                if (direction == "forward")
                {
                    await hold.RequireKnownAsync("resume", ct);
                    await hold.AwaitCalmAsync(ct);
                }

                await copier.CatchUpAsync(ct);
            }

            try
            {
                await WithMergesAsync(() => hold.WhileHeldAsync(token => ExchangeAsync(hold, definition, assembleAsync, token), ct));
            }
            catch (PauseBudgetException e)
            {
                await LongStatement.KillOwnAsync(context, ct);
                await hold.RestAsync(e, ct);
            }
        }
    }

    /// <summary>Lets merges go on that were stopped for the exchange, also after the death of whoever stopped them.</summary>
    public static async Task StartMergesAsync(StepContext context, RebuildSpec spec)
    {
        if (context.Journal.Find<bool>(MergesStopped))
        {
            foreach (var table in await TableNames.ExistingAsync(context, [spec.Source, spec.Staging, spec.Retired, HelperTables.WayBack(spec)], CancellationToken.None))
            {
                await MergeControl.StartAsync(context, table, CancellationToken.None);
            }

            await context.Journal.FactAsync(MergesStopped, false);
        }
    }

    private async Task ExchangeAsync(
        FeedHold hold, TableDefinition definition, Func<IReadOnlyDictionary<string, PartitionParts>, CancellationToken, Task<TakeOver>> assembleAsync, CancellationToken ct)
    {
        var writes = (await context.DialectAsync(ct)).Writes;
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            // What began before the feed was held holds the table that had the name then.
            await Positions.WaitForStatementsAsync(context, writes, () => Task.CompletedTask, ct);
            if (await HasHappenedAsync(context, direction, ct) || await TakeOverAsync(hold, definition, assembleAsync, ct))
            {
                await Positions.WaitForStatementsAsync(context, writes, () => Task.CompletedTask, ct);
                if (!await IsLateAsync(ct))
                {
                    await context.Journal.FactAsync($"swept/{direction}", new CutoverFigures(CutoverFigures.Milliseconds(_exchange), 0, 0));
                    return;
                }
            }
        }

        throw new StepFailedException(
            $"{spec.Source} was written to at each of {MostAttempts} attempts to let its name change hands, though nothing may write then. Find out what does, hold it, then `resume`.");
    }

    /// <returns>Whether the names have changed hands; when something changed meanwhile, they have not.</returns>
    private async Task<bool> TakeOverAsync(
        FeedHold hold, TableDefinition definition, Func<IReadOnlyDictionary<string, PartitionParts>, CancellationToken, Task<TakeOver>> assembleAsync, CancellationToken ct)
    {
        await RequireStillAsync(definition, ct);
        await context.Journal.FactAsync(MergesStopped, true);
        await MergeControl.StopAsync(context, spec.Source, ct);
        var change = await assembleAsync(await copier.FinishAsync(ct), ct);
        var incoming = TableState.Of(await TableParts.ReadAsync(context, change.Incoming, ct));
        await RequireStillAsync(definition, ct);
        if (await copier.LookAsync(ct) is not { } present)
        {
            return false;
        }

        await context.Journal.FactAsync(Fact(direction), new TakeOverFact(change, TableState.Of(present), incoming));
        await hold.RequireHeldAsync(ct);
        var began = context.Clock.GetTimestamp();
        await TableNames.ChangeAsync(context, change, ct);
        _exchange = context.Clock.GetElapsedTime(began);
        return true;
    }

    /// <summary>Whether something was written to the table that has lost the name. Then it has it again.</summary>
    private async Task<bool> IsLateAsync(CancellationToken ct)
    {
        var fact = context.Journal.Get<TakeOverFact>(Fact(direction));
        if (!fact.Old.IsChanged(await TableParts.ReadAsync(context, fact.Change.Outgoing, ct), Folds(direction == "forward" ? spec.From : spec.To)))
        {
            return false;
        }

        if (fact.New.IsChanged(await TableParts.ReadAsync(context, fact.Change.Live, ct), Folds(direction == "forward" ? spec.To : spec.From)))
        {
            var told = $"told/late/{direction}";
            if (context.Journal.Has(told))
            {
                return false;
            }

            throw new NeedsOperatorException(
                $"Something wrote to {spec.Source} in the moment in which its name changed hands, and more was written to the new table since. These rows are in {fact.Change.Outgoing}: in parts with "
                + $"numbers after {fact.Old.LastChange} (see system.parts). Bring them over, then `resume`; it will not be asked twice.")
            { OnTold = () => context.Journal.FactAsync(told, true) };
        }

        await TableNames.ChangeAsync(context, fact.Change.Back(), ct);
        return true;
    }

    private static bool Folds(TableDefinition definition) => TableEngine.Parse(definition.Engine).Folding != RowFolding.None;

    /// <summary>The table that has the name is the one that was planned for, and no mutation of it is under way, which would change it while it is copied.</summary>
    private async Task RequireStillAsync(TableDefinition definition, CancellationToken ct)
    {
        await SourceGuard.RequireSameDefinitionAsync(context, spec.Source, definition, ct);
        var mutations = await context.Gateway.QueryAsync($"SELECT mutation_id, command FROM system.mutations WHERE {TableReader.Where(spec.Source, "table")} AND NOT is_done LIMIT 1", ct: ct);
        if (mutations is [var mutation])
        {
            throw new PauseBudgetException($"Mutation {mutation["mutation_id"]} of {spec.Source} ({mutation["command"]}) is under way.");
        }
    }

    // What is stopped must not stay stopped when the run fails or is interrupted.
    private async Task WithMergesAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch
        {
            try
            {
                await StartMergesAsync(context, spec);
            }
            catch (ClickHouseException e)
            {
                // What went wrong first decides what happens next: the next attempt, or the rollback, lets go.
                await context.Journal.FactAsync("still-held", e.Message);
            }

            throw;
        }

        await StartMergesAsync(context, spec);
    }
}
