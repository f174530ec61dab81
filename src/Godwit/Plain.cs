using System.Globalization;
using Godwit.Metadata;

namespace Godwit;

/// <summary>Numbers, times and foreign words as people read them, on a terminal and on a page alike.</summary>
internal static class Plain
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB"];

    /// <summary>
    /// The text without what would steer a terminal: names, comments and errors come from a server, and an escape sequence in
    /// one of them must not move the cursor of whoever looks at it.
    /// </summary>
    public static string Clean(string text) =>
        text.Any(IsHarmful) ? string.Concat(text.Select(c => IsHarmful(c) ? '\uFFFD' : c)) : text;

    /// <summary>12,345,678.</summary>
    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>1.2 GB.</summary>
    public static string Bytes(long bytes)
    {
        double value = bytes;
        var unit = 0;
        for (; value >= 999.5 && unit < Units.Length - 1; unit++)
        {
            value /= 1000;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value.ToString(unit > 0 && value < 99.5 ? "0.#" : "0", CultureInfo.InvariantCulture)} {Units[unit]}");
    }

    /// <summary>1 h 5 min.</summary>
    public static string Time(TimeSpan time) => time switch
    {
        { TotalSeconds: < 60 } => $"{Math.Max(0, (long)time.TotalSeconds)} s",
        { TotalMinutes: < 60 } => $"{time.Minutes} min {time.Seconds} s",
        { TotalHours: < 24 } => $"{time.Hours} h {time.Minutes} min",
        _ => $"{Count((long)time.TotalDays)} d {time.Hours} h",
    };

    /// <summary>A state as it stands in a sentence: running.</summary>
    public static string Word(StepState state) => state.ToString().ToLowerInvariant();

    /// <summary>2026-01-02 03:04:05 UTC.</summary>
    public static string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>45.3 %; of nothing, nothing is left to do.</summary>
    public static string Percent(long done, long total) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(Share(done, total) * 1000) / 10:0.#} %");

    /// <summary>100 of 300 rows. Writers add some between the plan and the copy: 310 rows, 10 newer than the plan.</summary>
    public static string Rows(long done, long planned) => done <= planned ? $"{Count(done)} of {Count(planned)} rows" : $"{Count(done)} rows, {Count(done - planned)} newer than the plan";

    /// <summary>From 0 to 1.</summary>
    public static double Share(long done, long total) => total <= 0 ? 1 : Math.Clamp((double)done / total, 0, 1);

    private static bool IsHarmful(char c) =>
        (char.IsControl(c) && c is not '\n' and not '\t') || c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');
}
