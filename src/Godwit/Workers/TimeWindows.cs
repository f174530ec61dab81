using System.Globalization;

namespace Godwit.Workers;

/// <summary>Times of the day, in UTC, at which runs may be started; none means any time.</summary>
public sealed class TimeWindows
{
    private readonly IReadOnlyList<(TimeOnly From, TimeOnly To)> _windows;

    private TimeWindows(IReadOnlyList<(TimeOnly, TimeOnly)> windows) => _windows = windows;

    /// <summary>Reads windows such as <c>22:00-06:00, 12:00-13:00</c>; one that ends before it begins goes over midnight.</summary>
    /// <exception cref="FormatException">A part is no window.</exception>
    public static TimeWindows Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new TimeWindows(text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(part =>
            part.Split('-', StringSplitOptions.TrimEntries) is [var from, var to] && TryRead(from, out var begin) && TryRead(to, out var end) && begin != end
                ? (begin, end)
                : throw new FormatException($"'{part}' is not a window of time such as 22:00-06:00.")).ToList());
    }

    /// <summary>Whether a moment lies in one of them.</summary>
    public bool Contain(DateTimeOffset moment)
    {
        var time = TimeOnly.FromTimeSpan(moment.UtcDateTime.TimeOfDay);
        return _windows.Count == 0 || _windows.Any(w => time.IsBetween(w.From, w.To));
    }

    private static bool TryRead(string text, out TimeOnly time) => TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
}
