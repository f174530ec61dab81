using Godwit.Metadata;

namespace Godwit.Runs;

/// <summary>
/// Keeps the figures of a run for its curves: every second at first, and with the time since then ever more seldom, so that a week leaves a few
/// thousand of them and its last hour is still told from the one before.
/// </summary>
internal sealed class Samples(IRunStore store, LeaseKeeper lease, TimeProvider clock)
{
    /// <summary>The time between two samples is at least this, and at least this part of the time since the first one of this owner.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(1);
    private const int Part = 600;

    private DateTimeOffset? _first;
    private DateTimeOffset _last;

    /// <summary>Keeps the figures of this moment when it is time to.</summary>
    public async Task KeepAsync(RunProgress figures)
    {
        var now = clock.GetUtcNow();
        _first ??= now;
        var between = (now - _first.Value) / Part;
        if (_last == default || now - _last >= (between > Least ? between : Least))
        {
            _last = now;
            await store.AppendSampleAsync(lease.Current, new RunSample(now, figures.RowsCopied, figures.RowsPerSecond, figures.LagSeconds, figures.Brake is not null || figures.Activity == "paused"), CancellationToken.None);
        }
    }
}
