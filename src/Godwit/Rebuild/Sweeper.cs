using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>The journal's fact that the exchange comes next.</summary>
/// <param name="Position">The last position of the table that is about to take the name over; later ones are writers' or a sweep's.</param>
/// <param name="Followed">What the table that is about to lose the name had up to here has been copied.</param>
internal sealed record ExchangeFact(long Position, long Followed);

/// <summary>
/// Exchanges the names and moves over what writers still put into the table that lost its name. Rows are swept while the barrier
/// waits for slow inserts, so that a row that is committed there can be seen under the name within a moment.
/// </summary>
internal sealed class Sweeper(StepContext context, RebuildSpec spec, Direction direction)
{
    private readonly Follower _follower = new(context, spec, direction);
    private TimeSpan? _exchange;
    private long _lastSweep;
    private TimeSpan _gap;
    private long _rows;

    /// <summary>From the table that loses its name to the one that gets it.</summary>
    public Direction Direction => direction;

    /// <summary>EXCHANGE TABLES. Whether it happened is decided by UUID, never by sending it again.</summary>
    public async Task ExchangeAsync(CancellationToken ct)
    {
        context.Board.Activity = "exchanging the names";
        if (spec.FollowsWrites)
        {
            await _follower.PrepareAsync(RoundKind.Sweep, ct);
        }

        var position = await Positions.LastAsync(context.Gateway, spec.Staging, ct);
        _lastSweep = context.Clock.GetTimestamp();
        await context.Journal.FactAsync($"exchange/{direction.Name}", new ExchangeFact(position, spec.FollowsWrites ? _follower.Position : 0));
        var began = context.Clock.GetTimestamp();
        await context.ChangeAsync("exchange", ct, $"EXCHANGE TABLES {spec.Source.ToSql()} AND {spec.Staging.ToSql()}");
        _exchange = context.Clock.GetElapsedTime(began);
    }

    /// <summary>The barrier and the sweep.</summary>
    public async Task SweepAsync(CancellationToken ct)
    {
        context.Board.Activity = "sweeping rows of inserts that were under way";
        if (_lastSweep == 0)
        {
            _lastSweep = context.Clock.GetTimestamp();
        }

        await SweepOnceAsync(ct);
        await Positions.WaitForStatementsAsync(context, "query_kind IN ('Insert', 'AsyncInsertFlush', 'Alter')", () => SweepOnceAsync(ct), ct);
        await SweepOnceAsync(ct);
        await _follower.DropLandingAsync(ct);
        await new ViewWitness(context, spec, direction).KeepMissedAsync(ct);
    }

    /// <summary>Writes down that the sweep is over, with what was measured.</summary>
    public async Task FinishAsync()
    {
        if (!context.Journal.Has($"swept/{direction.Name}"))
        {
            var figures = new CutoverFigures(CutoverFigures.Milliseconds(_exchange), CutoverFigures.Milliseconds(_exchange is null ? null : _gap), _rows) { PausedSeconds = FeedHold.Total(context.Journal)?.TotalSeconds };
            await context.Journal.FactAsync($"swept/{direction.Name}", figures);
            if (direction.Name == "forward")
            {
                context.Board.Cutover = figures;
            }
        }
    }

    private async Task SweepOnceAsync(CancellationToken ct)
    {
        var began = context.Clock.GetTimestamp();
        var rows = await _follower.RoundAsync(RoundKind.Sweep, ct);
        if (rows > 0 && context.Clock.GetElapsedTime(_lastSweep, _follower.AttachedAt) > _gap)
        {
            // The oldest of these rows was committed right after the sweep before this one had read its position.
            _gap = context.Clock.GetElapsedTime(_lastSweep, _follower.AttachedAt);
        }

        _rows += rows;
        _lastSweep = began;
    }
}
