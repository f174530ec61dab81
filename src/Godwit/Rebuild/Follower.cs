using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>The journal's fact that a round has begun: the rows after <paramref name="From"/> up to <paramref name="To"/>.</summary>
internal sealed record RoundFact(int Number, long From, long To);

/// <summary>What a round is in a hurry for.</summary>
internal enum RoundKind
{
    /// <summary>Nothing: writers and readers go first.</summary>
    Following,

    /// <summary>The exchange comes right after it: what it does not bring, a sweep must.</summary>
    Last,

    /// <summary>The names have changed hands: nobody sees the rows until they have arrived, in a table that has writers of its own.</summary>
    Sweep,
}

/// <summary>
/// Copies what arrived since the last position, round by round. The position is read first and the rows up to it are copied then:
/// the other way round a row that becomes visible in between is lost.
/// </summary>
internal sealed class Follower(StepContext context, RebuildSpec spec, Direction direction)
{
    private readonly ChunkCopier _copier = new(context, HelperTables.Landing(spec, context.Step.Index));

    /// <summary>Everything up to here has been copied.</summary>
    public long Position => context.Journal.Get<long>(PositionFact);

    /// <summary>Makes the landing table for the next round ahead of time.</summary>
    public Task PrepareAsync(RoundKind kind, CancellationToken ct) => _copier.PrepareAsync(direction, kind == RoundKind.Sweep, ct);

    /// <summary>Drops a landing table that was made ahead of time and not needed.</summary>
    public Task DropLandingAsync(CancellationToken ct) => _copier.DropLandingAsync(ct);

    /// <summary>When rows became visible in the target last.</summary>
    public long AttachedAt => _copier.AttachedAt;

    private string PositionFact => $"position/{direction.Name}";

    /// <summary>Says where to begin; does nothing when that was said before.</summary>
    public async Task BeginAsync(long position)
    {
        if (!context.Journal.Has(PositionFact))
        {
            await context.Journal.FactAsync(PositionFact, position);
        }
    }

    /// <summary>Takes back that rows after a position were copied: the server gives their numbers out again. The next round begins there.</summary>
    public static async Task GoBackAsync(StepContext context, string direction, long position)
    {
        if (context.Journal.Find<RoundFact>($"round/{direction}") is { } round)
        {
            // Otherwise the last round would be taken for one that was cut off, and finished.
            await context.Journal.FactAsync($"round/{direction}", round with { From = position, To = position });
        }

        await context.Journal.FactAsync($"position/{direction}", position);
    }

    /// <summary>One round. Returns the rows that it copied.</summary>
    public async Task<long> RoundAsync(RoundKind kind, CancellationToken ct)
    {
        var (position, asOf) = (Position, context.Clock.GetUtcNow());
        var round = context.Journal.Find<RoundFact>($"round/{direction.Name}");
        if (round is null || IsDone(round))
        {
            var to = await Positions.ReadAsync(context, direction.From, position, ct);
            if (to == position)
            {
                Caught(asOf);
                return 0;
            }

            round = new RoundFact((round?.Number ?? 0) + 1, position, to);
            await context.Journal.FactAsync($"round/{direction.Name}", round);
        }
        else
        {
            // An earlier owner read how far this round goes, nobody knows when.
            asOf = default;
        }

        // The server's limit counts rows that are read: to find the few new rows it would be spent on looking at all the old ones.
        var tuning = CopyTuning.For(await ResourcesAsync(ct), context.Options, 1, long.MaxValue) with { RowsPerSecond = null, IsPolite = kind == RoundKind.Following };

        // A later gate compares everything; where merges fold rows meanwhile, both sides of a round cannot be compared.
        var verify = kind != RoundKind.Following || !MergeControl.IsNeeded(spec);
        var attached = await _copier.CopyAsync(
            new Chunk($"{direction.Name}-round-{round.Number}", direction, Condition(round.From, round.To), tuning, kind == RoundKind.Sweep, verify), ct);
        await context.Journal.FactAsync(PositionFact, round.To);
        Caught(asOf);
        return attached.Fingerprints.Rows;
    }

    /// <summary>Rounds until one finds nothing, or until there have been as many as given.</summary>
    public async Task CatchUpAsync(int rounds, CancellationToken ct)
    {
        for (var i = 0; i < rounds && await RoundAsync(RoundKind.Following, ct) > 0; i++)
        {
        }
    }

    /// <summary>The condition for the rows after one position up to another, without those that a sweep brought here.</summary>
    public string Condition(long after, long upTo) =>
        Positions.Between(after, upTo, direction.Name == "forward" ? [] : SweptBlocks(context.Journal, "forward"));

    /// <summary>The positions in the table that a direction fills which its sweeps took there; all others after the exchange are writers'.</summary>
    public static IReadOnlyList<long> SweptBlocks(StepJournal journal, string direction) =>
        journal.All<AttachedFact>($"attached/{direction}-round-").SelectMany(f => f.Value.Blocks).Distinct().Order().ToList();

    // Everything that was there when the position was read has been copied by now.
    private void Caught(DateTimeOffset asOf)
    {
        if (asOf != default && direction.Name == "forward")
        {
            context.Board.CaughtUpTo = asOf;
        }
    }

    private bool IsDone(RoundFact round) => context.Journal.Has($"attached/{direction.Name}-round-{round.Number}") && Position >= round.To;

    private async Task<ServerResources> ResourcesAsync(CancellationToken ct) =>
        _resources ??= await ServerResources.ReadAsync(context.Gateway, context.Options, ct);

    private ServerResources? _resources;
}
