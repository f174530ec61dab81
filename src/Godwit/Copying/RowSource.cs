using Godwit.Operations;

namespace Godwit.Copying;

/// <summary>Where the rows of a copy come from.</summary>
internal abstract class RowSource(CopySpec spec, CopyShape shape)
{
    /// <summary>The copy.</summary>
    protected CopySpec Spec => spec;

    /// <summary>The two sides.</summary>
    protected CopyShape Shape => shape;

    /// <summary>The columns that are filled, and the SQL over the source that gives their values.</summary>
    protected IReadOnlyList<(string Target, string Expression)> Columns => shape.Columns;

    /// <summary>The key, as SQL over the source.</summary>
    protected string Key => $"({shape.Columns.First(c => c.Target == spec.Key).Expression})";

    /// <summary>The largest key; null when there is no row.</summary>
    public abstract Task<string?> LastKeyAsync(CancellationToken ct);

    /// <summary>The next stretch of about so many rows; the last one ends with <paramref name="end"/>. Null when <paramref name="after"/> is the end.</summary>
    public async Task<KeyRange?> NextAsync(string? after, string end, long rows, CancellationToken ct)
    {
        if (after == end)
        {
            return null;
        }

        var (last, count) = await SkipAsync(new KeyRange(after, end), rows, ct);
        return new KeyRange(after, last is null || count < rows ? end : last);
    }

    /// <summary>How many rows have no key, so that they could not be copied along it.</summary>
    public abstract Task<long> CountKeylessAsync(CancellationToken ct);

    /// <summary>How many rows a stretch has, and which.</summary>
    public abstract Task<Tally> CountAsync(KeyRange range, CancellationToken ct);

    /// <summary>Sends the rows of a stretch to the target. It may be cut off anywhere.</summary>
    /// <param name="range">The stretch.</param>
    /// <param name="onRows">Is given the rows sent so far.</param>
    /// <param name="ct">Ends it on the servers, too.</param>
    public abstract Task SendAsync(KeyRange range, Action<long> onRows, CancellationToken ct);

    /// <summary>The conditions on the rows of a stretch, with WHERE; empty when there are none.</summary>
    /// <param name="range">The stretch; null for all rows.</param>
    /// <param name="more">One more condition.</param>
    protected string Where(KeyRange? range, string? more = null)
    {
        List<string> conditions = [.. range is null ? Array.Empty<string>() : [range.Condition(Key, shape.Kind)], .. spec.Where is null ? Array.Empty<string>() : [$"({spec.Where})"], .. more is null ? Array.Empty<string>() : [more]];
        return conditions.Count == 0 ? "" : $" WHERE {string.Join(" AND ", conditions)}";
    }

    /// <summary>The largest key of the first so many rows of a stretch, and how many there are.</summary>
    protected abstract Task<(string? Last, long Rows)> SkipAsync(KeyRange range, long rows, CancellationToken ct);
}
