using System.Globalization;
using Godwit.Cli.Rendering;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Godwit.Cli.Demo;

/// <summary>How the demo ended, as a person reads it.</summary>
internal static class DemoView
{
    /// <summary>The whole story.</summary>
    public static IRenderable Of(DemoResult result)
    {
        List<IRenderable> parts = [Text.Empty, Look.Facts(Facts(result)), Text.Empty];
        parts.AddRange(result.Problems.Select(p => Look.Words($"  - {p}", Look.Bad)));
        parts.Add(Look.Words(Verdict(result), result.IsGood ? Look.Good : Look.Bad));
        return new Rows(parts);
    }

    /// <summary>The sentence at the end.</summary>
    internal static string Verdict(DemoResult result)
    {
        var counts = $"lost {Plain.Count(result.Lost)}, duplicated {Plain.Count(result.Duplicated)}, refused {Plain.Count(result.RefusedWrites)}";
        return result.IsGood
            ? $"✓ {counts}: every row that a writer was told is stored is there, exactly once."
            : $"✗ {counts}, and the run is {result.State}.";
    }

    /// <summary>Before : after as a person says it.</summary>
    internal static string Faster(QueryFigures before, QueryFigures after) => after.Milliseconds > 0 && before.Milliseconds > after.Milliseconds
        ? Number(before.Milliseconds / after.Milliseconds) + "× faster"
        : "not faster";

    private static IEnumerable<(string Label, IRenderable Value)> Facts(DemoResult r)
    {
        yield return ("State", Look.Words(r.State.ToString(), Look.Of(r.State)));
        foreach (var (label, text) in new[]
        {
            ("Rows", $"{Plain.Count(r.RowsBefore)} before + {Plain.Count(r.RowsWritten)} written meanwhile; {Plain.Count(r.RowsAfter)} now"),
            ("Copy", $"{Number(r.CopySeconds)} s, {Plain.Count((long)r.RowsPerSecond)} rows/s, while 4 writers went on"),
            ("Cutover", $"{Number(r.CutoverMs)} ms, of it {Number(r.ExchangeMs)} ms to exchange the names; a row was invisible for at most {Number(r.VisibilityGapMs)} ms"),
            ("Writers", $"{Retries(r.RetriedWrites)}; 99 % of inserts took at most {Number(r.InsertP99MsBefore)} ms before and {Number(r.InsertP99MsDuring)} ms during the rebuild"),
            ("Query", $"{Plain.Count(r.QueryBefore.RowsRead)} rows read, {Number(r.QueryBefore.Milliseconds)} ms before → {Plain.Count(r.QueryAfter.RowsRead)} rows, {Number(r.QueryAfter.Milliseconds)} ms: {Faster(r.QueryBefore, r.QueryAfter)}"),
            ("", r.QueryBefore.Answer == r.QueryAfter.Answer
                ? $"the same answer: {r.QueryAfter.Answer}"
                : $"another answer: {r.QueryBefore.Answer} before, {r.QueryAfter.Answer} after"),
        })
        {
            yield return (label, Look.Words(text));
        }
    }

    private static string Retries(long retried) => retried switch
    {
        0 => "no insert met the exchange",
        1 => "1 insert met the exchange, was refused with nothing written, and was sent once more",
        _ => $"{Plain.Count(retried)} inserts met the exchange, were refused with nothing written, and were sent once more",
    };

    private static string Number(double value) => value.ToString(value < 100 ? "0.#" : "N0", CultureInfo.InvariantCulture);
}
