using Godwit.Metadata;
using Godwit.Plans;

namespace Godwit.Cli.Demo;

/// <summary>How long the parts of a run took, read from its journal.</summary>
/// <param name="Copy">From the first entry of a step that copies to the last.</param>
/// <param name="Cutover">From the order to exchange the names to the end of the sweep.</param>
internal sealed record RunTimes(TimeSpan Copy, TimeSpan Cutover)
{
    /// <summary>Reads them; zero for what did not happen.</summary>
    public static RunTimes Of(Plan plan, IReadOnlyList<JournalEntry> journal)
    {
        // Only steps that move a known number of rows copy; catching up and the cutover move what nobody can know before.
        var copies = plan.Steps.Where(s => s.RowsTotal is not null).Select(s => s.Index).ToHashSet();
        return new RunTimes(
            Span(journal.Where(e => copies.Contains(e.Step))),
            Span(journal.Where(e => e.Name is "exchange/forward" or "swept/forward")));
    }

    private static TimeSpan Span(IEnumerable<JournalEntry> entries)
    {
        List<DateTimeOffset> times = [.. entries.Select(e => e.At)];
        return times.Count == 0 ? TimeSpan.Zero : times.Max() - times.Min();
    }
}
