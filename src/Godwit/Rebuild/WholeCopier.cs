using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>The journal's fact that a partition was copied.</summary>
/// <param name="Number">The number of the table that it was copied into.</param>
/// <param name="Witness">What it was made of; empty when it is to be copied again.</param>
/// <param name="Copied">What arrived.</param>
internal sealed record WholeFact(int Number, string Witness, Fingerprint Copied);

/// <summary>
/// Copies whole partitions, each into a table of its own, and copies those again that have changed since: by the parts that they are made of. So it needs nothing
/// to tell new rows from old ones, and a copy that was cut off is thrown away. What has been copied is put together later, by links: see <see cref="WholeAssembly"/>.
/// </summary>
/// <param name="context">The step.</param>
/// <param name="spec">The rebuild.</param>
/// <param name="direction">From where to where.</param>
/// <param name="isNeeded">Which partitions are copied; null for all.</param>
internal sealed class WholeCopier(StepContext context, RebuildSpec spec, Direction direction, Func<PartitionParts, bool>? isNeeded = null)
{
    private const int MostRounds = 10;
    private static readonly TimeSpan ShortRound = TimeSpan.FromSeconds(1);
    private ServerResources? _resources;

    /// <summary>The tables that hold what was copied.</summary>
    public IReadOnlyList<QualifiedName> Tables => [.. Facts.Values.Where(f => f.Witness.Length > 0).Select(f => HelperTables.Whole(spec, direction, f.Number))];

    private string Prefix => $"whole/{direction.Name}/";

    private Dictionary<string, WholeFact> Facts => context.Journal.All<WholeFact>(Prefix).ToDictionary(f => f.Name[Prefix.Length..], f => f.Value, StringComparer.Ordinal);

    /// <summary>Rounds while writers go on, until they stop getting shorter.</summary>
    public async Task CatchUpAsync(CancellationToken ct)
    {
        context.Board.Activity = "copying partitions that have changed";
        var took = TimeSpan.MaxValue;
        for (var round = 0; round < MostRounds; round++)
        {
            await context.Brakes.PassAsync(ct);
            var began = context.Clock.GetTimestamp();
            if (await RoundAsync(ct) is not null)
            {
                return;
            }

            var before = took;
            took = context.Clock.GetElapsedTime(began);
            if (took < ShortRound || took > before * 0.8)
            {
                return;
            }
        }
    }

    /// <summary>Rounds while nothing writes, until a look finds every partition as it was copied.</summary>
    /// <returns>What the table was made of at that look.</returns>
    /// <exception cref="StepFailedException">Something writes all the same.</exception>
    public async Task<IReadOnlyDictionary<string, PartitionParts>> FinishAsync(CancellationToken ct)
    {
        context.Board.Activity = "copying what has changed, while nothing may write";
        for (var round = 0; round < MostRounds; round++)
        {
            if (await RoundAsync(ct) is { } present)
            {
                return present;
            }
        }

        throw new StepFailedException(
            $"{direction.From} had changed at each of {MostRounds} looks, though nothing may write while its name changes hands. Find out what writes to it, hold that, then `resume`.");
    }

    /// <summary>Looks whether every partition is as it was copied.</summary>
    /// <returns>What the table is made of; null when something has changed.</returns>
    public async Task<IReadOnlyDictionary<string, PartitionParts>?> LookAsync(CancellationToken ct)
    {
        var present = await TableParts.ReadAsync(context, direction.From, ct);
        return Changed(present).Count == 0 ? present : null;
    }

    /// <summary>Copies a partition as it stands, unless that was done. One that changes meanwhile is to be copied again.</summary>
    /// <param name="id">The partition.</param>
    /// <param name="number">The number of the table that it goes into, unless it has one.</param>
    /// <param name="tuning">How the copy runs.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>Its rows.</returns>
    public async Task<long> CopyAsync(string id, int number, CopyTuning tuning, CancellationToken ct)
    {
        var fact = context.Journal.Find<WholeFact>(Prefix + id) ?? new WholeFact(number, "", default);
        var source = await PartsAsync(id, ct);
        if (source is null || fact.Witness == source.Witness)
        {
            await (source is null ? ForgetAsync(id, fact, ct) : Task.CompletedTask);
            return source?.Rows ?? 0;
        }

        // A merge writes the same rows into other parts.
        var isSame = fact.Witness.Length > 0 && fact.Copied.Count == source.Rows && await ExpectedAsync(source, ct) == fact.Copied;
        var copied = isSame ? fact.Copied : await FillAsync(id, source, fact, tuning, ct);
        var expected = isSame ? copied : await ExpectedAsync(source, ct);
        if ((await PartsAsync(id, ct))?.Witness != source.Witness)
        {
            return copied.Count;
        }

        if (copied != expected)
        {
            throw new StepFailedException(
                $"Partition {id} of {direction.From} ({expected.Count} rows) was copied, and the {copied.Count} rows that arrived in {HelperTables.Whole(spec, direction, fact.Number)} are not the same. "
                + "`resume` copies it again; when that ends like this too, compare both before you go on.");
        }

        await context.Journal.FactAsync(Prefix + id, fact with { Witness = source.Witness, Copied = copied });
        return copied.Count;
    }

    /// <summary>Copies what has changed.</summary>
    /// <returns>What the table was made of when nothing had; null when something had.</returns>
    private async Task<IReadOnlyDictionary<string, PartitionParts>?> RoundAsync(CancellationToken ct)
    {
        var present = await TableParts.ReadAsync(context, direction.From, ct);
        var changed = Changed(present);
        foreach (var id in changed)
        {
            var tuning = CopyTuning.For(_resources ??= await ServerResources.ReadAsync(context.Gateway, context.Options, ct), context.Options, 1, long.MaxValue);

            // The numbers of the steps before belong to the partitions of the plan.
            await CopyAsync(id, Facts.Values.Select(f => f.Number).Append(context.Step.Index).Max() + 1, tuning, ct);
        }

        return changed.Count == 0 ? present : null;
    }

    private List<string> Changed(SortedDictionary<string, PartitionParts> present)
    {
        var facts = Facts;
        return
        [
            .. present.Values.Where(p => isNeeded?.Invoke(p) != false && facts.GetValueOrDefault(p.Id)?.Witness != p.Witness).Select(p => p.Id),
            .. facts.Where(f => f.Value.Witness.Length > 0 && !present.ContainsKey(f.Key)).Select(f => f.Key),
        ];
    }

    private async Task<PartitionParts?> PartsAsync(string id, CancellationToken ct) => (await TableParts.ReadAsync(context, direction.From, ct)).GetValueOrDefault(id);

    private async Task ForgetAsync(string id, WholeFact fact, CancellationToken ct)
    {
        await context.Journal.FactAsync(Prefix + id, fact with { Witness = "" });
        await HelperTables.DropAsync(context, ct, HelperTables.Whole(spec, direction, fact.Number));
    }

    /// <summary>Copies the rows of some parts into an empty table.</summary>
    /// <returns>What arrived there.</returns>
    private async Task<Fingerprint> FillAsync(string id, PartitionParts source, WholeFact fact, CopyTuning tuning, CancellationToken ct)
    {
        var (landing, dialect) = (HelperTables.Whole(spec, direction, fact.Number), await context.DialectAsync(ct));
        await context.Journal.FactAsync(Prefix + id, fact with { Witness = "" });
        for (CopyTuning? next = tuning; next is not null; next = next.Smaller())
        {
            await HelperTables.DropAsync(context, ct, landing);
            await context.ChangeAsync(
                "create-landing", [direction.ToDefinition.ToSql(landing, HelperTables.Landing(sweep: false))], dialect.Known(HelperTables.CreateSettingsOfAllAges(direction.ToDefinition)), ct);
            try
            {
                await (context.Operation.Lanes?.RunAsync(() => InsertAsync(landing, source, dialect.Known(next.Settings()), ct), ct) ?? InsertAsync(landing, source, dialect.Known(next.Settings()), ct));
                break;
            }
            catch (ClickHouseException e) when (e.Code == ClickHouseErrorCodes.MemoryLimitExceeded && next.Smaller() is not null)
            {
                context.Board.Activity = $"copying partition {id} again, with less memory";
            }
        }

        return await FingerprintAsync(landing.ToSql(), dialect, ct);
    }

    private async Task InsertAsync(QualifiedName landing, PartitionParts source, IReadOnlyDictionary<string, string> settings, CancellationToken ct)
    {
        var expressions = string.Join(", ", direction.Mapping.Select(m => m.Expression));
        var began = context.Clock.GetTimestamp();
        await LongStatement.RunAsync(
            context,
            $"INSERT INTO {landing.ToSql()} ({direction.Columns}) SELECT {expressions} FROM {direction.From.ToSql()} WHERE {source.Condition}",
            settings,
            rows => context.Board.Report(context.Step.Index, rows),
            ct);
        if (context.Options.MaxRowsPerSecond is { } limit)
        {
            // Old servers keep no such limit, and newer ones let the first moments of a statement pass.
            var due = TimeSpan.FromSeconds((double)source.Rows / limit) - context.Clock.GetElapsedTime(began);
            await Task.Delay(due > TimeSpan.Zero ? due : TimeSpan.Zero, context.Clock, ct);
        }
    }

    private async Task<Fingerprint> ExpectedAsync(PartitionParts source, CancellationToken ct) =>
        await FingerprintAsync(direction.Fingerprint.Mapped(direction.From.ToSql(), source.Condition), await context.DialectAsync(ct), ct);

    private async Task<Fingerprint> FingerprintAsync(string from, Dialect dialect, CancellationToken ct) => FingerprintSql.Read(await context.Gateway.QueryAsync(
        direction.Fingerprint.Select(from), new QueryOptions { Settings = dialect.Known(CopyTuning.ReadSettings), Timeout = Timeout.InfiniteTimeSpan }, ct)).GetValueOrDefault("");
}
