using System.Text.Json;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Steps;

namespace Godwit.Runs;

/// <summary>The figures of a run as they are stored about once a second.</summary>
public sealed record RunProgress
{
    /// <summary>Rows of finished steps and of those under way.</summary>
    public long RowsCopied { get; init; }

    /// <summary>Rows per second over the last half minute.</summary>
    public double RowsPerSecond { get; init; }

    /// <summary>How far the run is by its author's reckoning, 0 to 100; null when its author has none.</summary>
    public double? Percent { get; init; }

    /// <summary>Why the run is held or slowed; null when it is not.</summary>
    public string? Brake { get; init; }

    /// <summary>See <see cref="RunStatus.LagSeconds"/>.</summary>
    public double? LagSeconds { get; init; }

    /// <summary>A statement under way.</summary>
    public string? CurrentQueryId { get; init; }

    /// <summary>What is being done, a few words.</summary>
    public string? Activity { get; init; }

    /// <summary>The measured facts of the cutover; null before it.</summary>
    public CutoverFigures? Cutover { get; init; }

    /// <summary>See <see cref="RunStatus.Findings"/>.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    /// <summary>Rows of the steps under way, by step.</summary>
    public IReadOnlyDictionary<int, long> Live { get; init; } = new Dictionary<int, long>();
}

/// <summary>Where the steps under way write their figures, and where the heartbeat reads them: from many threads.</summary>
internal sealed class ProgressBoard(TimeProvider clock)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    // All figures are of one moment: rows of a step that ends are neither missing nor counted twice.
    private readonly Lock _gate = new();
    private readonly Dictionary<int, long> _live = [];
    private readonly Dictionary<int, long> _done = [];
    private readonly Queue<(DateTimeOffset At, long Rows)> _samples = new();
    private readonly HashSet<int> _counted = [];
    private readonly List<string> _findings = [];
    private (DateTimeOffset At, long Rows) _moved;

    /// <summary>What is being done, a few words for a person.</summary>
    public string? Activity { get; set; }

    /// <summary>Why the run is held; null when it is not.</summary>
    public string? Brake { get; set; }

    /// <summary>How far the run is by its author's reckoning, 0 to 100.</summary>
    public double? Percent { get; set; }

    /// <summary>A statement under way.</summary>
    public string? CurrentQueryId { get; set; }

    /// <summary>The measured facts of the cutover.</summary>
    public CutoverFigures? Cutover { get; set; }

    /// <summary>Everything that was written up to this moment is in the new table; null when no writer is followed.</summary>
    public DateTimeOffset? CaughtUpTo { get; set; }

    /// <summary>Which steps are there to move rows, and the figures of those that an earlier owner has finished.</summary>
    public void Restore(Plan plan, IReadOnlyList<StepRecord> steps, Journal journal)
    {
        _counted.UnionWith(plan.Steps.Where(s => s.RowsTotal is not null).Select(s => s.Index));
        foreach (var step in steps.Where(s => s.State == StepState.Done))
        {
            Finish(step.Index, step.RowsDone);
        }

        Cutover = plan.Steps.Where(s => s.Kind is CutOver.Name or ExchangeConsumers.Name or PausedCutOver.Name).Select(s => journal.Of(s).Find<CutoverFigures>(CutOver.Swept)).OfType<CutoverFigures>().LastOrDefault();
        foreach (var finding in plan.Steps.Where(s => s.Kind == CompareTables.Name).Select(s => journal.Of(s).Find<ComparisonFinding>(CompareTables.Fact)).OfType<ComparisonFinding>())
        {
            Found(finding.Summary);
        }
    }

    /// <summary>What a comparison has found, in words.</summary>
    public void Found(string finding)
    {
        lock (_gate)
        {
            _findings.Add(finding);
        }
    }

    /// <summary>Rows that a step under way has written so far.</summary>
    public void Report(int step, long rows)
    {
        lock (_gate)
        {
            _live[step] = rows;
        }
    }

    /// <summary>Rows that a step has moved for good.</summary>
    public void Finish(int step, long rows)
    {
        lock (_gate)
        {
            _live.Remove(step);
            _done[step] = rows;
        }
    }

    /// <summary>Rows that a step has moved for good; 0 when it moves none.</summary>
    public long FinishedRows(int step)
    {
        lock (_gate)
        {
            return _done.GetValueOrDefault(step);
        }
    }

    /// <summary>The figures of this moment.</summary>
    public RunProgress Read()
    {
        lock (_gate)
        {
            // A look at rows that are there already is movement, and copies none.
            var figures = _done.Concat(_live).ToList();
            return new RunProgress
            {
                RowsCopied = figures.Where(f => _counted.Contains(f.Key)).Sum(f => f.Value),
                RowsPerSecond = Rate(figures.Sum(f => f.Value)),
                Percent = Percent,
                Brake = Brake,
                LagSeconds = CaughtUpTo is { } moment ? Math.Round((clock.GetUtcNow() - moment).TotalSeconds, 1) : null,
                CurrentQueryId = CurrentQueryId,
                Activity = Activity,
                Cutover = Cutover,
                Findings = [.. _findings],
                Live = new Dictionary<int, long>(_live),
            };
        }
    }

    /// <summary>The figures of this moment as JSON.</summary>
    public string Snapshot() => JsonSerializer.Serialize(Read(), PlanFormat.Json);

    private double Rate(long rows)
    {
        var now = clock.GetUtcNow();
        _samples.Enqueue((now, rows));
        while (_samples.Count > 2 && now - _samples.Peek().At > Window)
        {
            _samples.Dequeue();
        }

        if (rows != _moved.Rows)
        {
            _moved = (now, rows);
        }

        // Between two chunks there is a moment without any; when none comes after it, nothing is being copied.
        var (at, before) = _samples.Peek();
        var seconds = (now - at).TotalSeconds;
        var isIdle = _live.Count == 0 && now - _moved.At > Pause;
        return seconds <= 0 || isIdle ? 0 : Math.Max(0, Math.Round((rows - before) / seconds, 1));
    }
}
