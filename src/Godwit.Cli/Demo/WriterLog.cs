using System.Diagnostics;
using System.Globalization;

namespace Godwit.Cli.Demo;

/// <summary>What is known of a batch after the attempt to insert it.</summary>
internal enum WriteOutcome
{
    /// <summary>The server said yes: every row must be there exactly once from now on.</summary>
    Acknowledged,

    /// <summary>The server said no. A row may be there once at most.</summary>
    Refused,

    /// <summary>The answer was lost: a row may be there once or not at all.</summary>
    Unknown,

    /// <summary>The statement never left: there is no row.</summary>
    NotSent,
}

/// <summary>Ids from <paramref name="First"/> to <paramref name="Last"/>, both included.</summary>
internal readonly record struct IdRange(long First, long Last)
{
    /// <summary>How many.</summary>
    public long Count => Last - First + 1;

    /// <summary>For SQL that has an <c>id</c>.</summary>
    public string ToSql() => string.Create(CultureInfo.InvariantCulture, $"id BETWEEN {First} AND {Last}");
}

/// <summary>
/// What writers remember of their inserts: the only truth about which rows a table must hold. An id is
/// <c>(writer + 1) * 2^40 + sequence</c>, so that acknowledged rows are a few ranges however many there are; ids below 2^40 are
/// free for rows that were there before the writers. All members may be used from many threads.
/// </summary>
internal sealed class WriterLog
{
    private const int SequenceBits = 40;
    private const int RefusalsKept = 10;
    private readonly Lock _lock = new();
    private readonly SortedDictionary<long, List<IdRange>> _acknowledged = [];
    private readonly List<IdRange> _doubtful = [];
    private readonly List<string> _refusals = [];
    private readonly List<(long Began, double Milliseconds)> _latencies = [];
    private long _rows;
    private long _retried;
    private long _refused;
    private long _unknown;

    /// <summary>Rows that writers inserted and the server acknowledged.</summary>
    public long AcknowledgedRows => Interlocked.Read(ref _rows);

    /// <summary>Inserts that the server refused with code 741 (nothing was written) and that were sent once more.</summary>
    public long RetriedWrites => Interlocked.Read(ref _retried);

    /// <summary>Inserts that the server refused in any other way, or twice.</summary>
    public long RefusedWrites => Interlocked.Read(ref _refused);

    /// <summary>Inserts whose answer was lost.</summary>
    public long UnknownWrites => Interlocked.Read(ref _unknown);

    /// <summary>The first id of a writer; writers count from 0.</summary>
    public static long FirstId(int writer) => (writer + 1L) << SequenceBits;

    /// <summary>Ranges of acknowledged ids, in order; neighbours are one range.</summary>
    public IReadOnlyList<IdRange> Acknowledged()
    {
        lock (_lock)
        {
            return [.. _acknowledged.Values.SelectMany(ranges => ranges)];
        }
    }

    /// <summary>Ids that may be there once, or not at all.</summary>
    public IReadOnlyList<IdRange> Doubtful()
    {
        lock (_lock)
        {
            return [.. _doubtful];
        }
    }

    /// <summary>The words of the first refusals, for people.</summary>
    public IReadOnlyList<string> Refusals()
    {
        lock (_lock)
        {
            return [.. _refusals];
        }
    }

    /// <summary>Rows that were in the table before any writer and that must stay there; their ids lie below 2^40.</summary>
    public void AddPresent(IdRange range)
    {
        lock (_lock)
        {
            Append(range);
        }
    }

    /// <summary>Writes down how an insert ended.</summary>
    /// <param name="batch">What was inserted.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="began">When it was sent, as <see cref="Stopwatch.GetTimestamp"/>; a retry counts from the first attempt.</param>
    public void Add(WriterBatch batch, WriteOutcome outcome, long began)
    {
        var range = new IdRange(batch.FirstId, batch.FirstId + batch.Rows - 1);
        var took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        lock (_lock)
        {
            switch (outcome)
            {
                case WriteOutcome.Acknowledged:
                    Append(range);
                    _latencies.Add((began, took));
                    Interlocked.Add(ref _rows, batch.Rows);
                    break;
                case WriteOutcome.Refused:
                    _doubtful.Add(range);
                    Interlocked.Increment(ref _refused);
                    break;
                case WriteOutcome.Unknown:
                    _doubtful.Add(range);
                    Interlocked.Increment(ref _unknown);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>Counts an insert that is sent once more.</summary>
    public void CountRetry() => Interlocked.Increment(ref _retried);

    /// <summary>Keeps the words of a refusal.</summary>
    public void AddRefusal(string words)
    {
        lock (_lock)
        {
            if (_refusals.Count < RefusalsKept)
            {
                _refusals.Add(words);
            }
        }
    }

    /// <summary>
    /// The milliseconds within which this share of the acknowledged inserts ended that began in a span of time
    /// (<see cref="Stopwatch.GetTimestamp"/>); 0 when there were none.
    /// </summary>
    public double LatencyMs(double share, long from, long to)
    {
        lock (_lock)
        {
            return Percentile([.. _latencies.Where(l => l.Began >= from && l.Began < to).Select(l => l.Milliseconds)], share);
        }
    }

    /// <summary>The nearest-rank percentile; 0 of nothing.</summary>
    internal static double Percentile(IReadOnlyCollection<double> values, double share) =>
        values.Count == 0 ? 0 : values.Order().ElementAt(Math.Clamp((int)Math.Ceiling(share * values.Count) - 1, 0, values.Count - 1));

    private void Append(IdRange range)
    {
        var writer = range.First >> SequenceBits;
        if (!_acknowledged.TryGetValue(writer, out var ranges))
        {
            _acknowledged[writer] = ranges = [];
        }

        // A writer's ids only grow, so a neighbour is always the last one.
        if (ranges.Count > 0 && ranges[^1].Last + 1 == range.First)
        {
            ranges[^1] = ranges[^1] with { Last = range.Last };
        }
        else
        {
            ranges.Add(range);
        }
    }
}
